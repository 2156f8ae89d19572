//! TLS for the sync link: a throw-away certificate around the node's own key, and verifiers that look at the key alone.
//! No dates, no names, no chain, no revocation list: who may speak is decided by the core, from the chain (P3).

use std::fmt;
use std::sync::Arc;

use holdfast_proto::identity::PublicKey;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};

use super::{LinkError, Shared};

/// Application protocol. A change of the frames on the stream is a new name.
pub(super) const ALPN: &[u8] = b"holdfast-sync/0";
/// The same for a person at a desk elsewhere. A change of what is said there is a new name.
pub(super) const DESK_ALPN: &[u8] = b"holdfast-desk/0";
/// Server name in the handshake: required by the interface, checked by nobody.
pub(super) const SERVER_NAME: &str = "holdfast";
/// Longest certificate looked at. Ours has about 300 bytes.
const CERTIFICATE_BYTES_MAX: usize = 1_024;
/// SubjectPublicKeyInfo of an Ed25519 key before its 32 bytes. RFC 8410 section 4.
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// PKCS 8 version 1 of an Ed25519 key before its 32 bytes of seed. RFC 8410 section 7.
const PKCS8_PREFIX: [u8; 16] = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The node as TLS knows it.
pub(super) struct Identity {
    key: PublicKey,
    certificate: CertificateDer<'static>,
    secret: PrivatePkcs8KeyDer<'static>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Identity {
    /// From the node's Ed25519 seed.
    ///
    /// # Errors
    /// [`LinkError::Key`] if the library refuses the key.
    pub(super) fn new(seed: &[u8; 32]) -> Result<Self, LinkError> {
        // The dates are for people who look at it with other tools; nobody of us reads them.
        Self::with_years(seed, 2000, 2999)
    }

    pub(super) fn with_years(seed: &[u8; 32], from: i32, to: i32) -> Result<Self, LinkError> {
        let refused = |error: rcgen::Error| LinkError::Key(error.to_string());
        let mut pkcs8 = PKCS8_PREFIX.to_vec();
        pkcs8.extend_from_slice(seed);
        let secret = PrivatePkcs8KeyDer::from(pkcs8);
        let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&secret, &rcgen::PKCS_ED25519).map_err(refused)?;
        let mut params = rcgen::CertificateParams::new(vec![SERVER_NAME.to_owned()]).map_err(refused)?;
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        let certificate = params.self_signed(&pair).map_err(refused)?.der().clone();
        let key = key_of(&certificate).map_err(|error| LinkError::Key(error.to_string()))?;
        Ok(Self { key, certificate, secret })
    }

    /// Our public key.
    pub(super) fn key(&self) -> PublicKey {
        self.key
    }

    /// Settings for dialling.
    ///
    /// # Errors
    /// [`LinkError::Key`] if the library refuses key or certificate.
    pub(super) fn client(&self, gate: &Arc<Gate>) -> Result<ClientConfig, LinkError> {
        let refused = |error: rustls::Error| LinkError::Key(error.to_string());
        let mut config = ClientConfig::builder_with_details(Arc::clone(&gate.provider), Arc::new(NoClock))
            .with_protocol_versions(&[&TLS13])
            .map_err(refused)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Gate>::clone(gate))
            .with_client_auth_cert(vec![self.certificate.clone()], PrivateKeyDer::Pkcs8(self.secret.clone_key()))
            .map_err(refused)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.enable_sni = false;
        // A resumed session skips the verifier: a key cut off in between would still come in.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(config)
    }

    /// Settings for answering.
    ///
    /// # Errors
    /// [`LinkError::Key`] if the library refuses key or certificate.
    pub(super) fn server(&self, gate: &Arc<Gate>) -> Result<ServerConfig, LinkError> {
        let refused = |error: rustls::Error| LinkError::Key(error.to_string());
        let mut config = ServerConfig::builder_with_details(Arc::clone(&gate.provider), Arc::new(NoClock))
            .with_protocol_versions(&[&TLS13])
            .map_err(refused)?
            .with_client_cert_verifier(Arc::<Gate>::clone(gate))
            .with_single_cert(vec![self.certificate.clone()], PrivateKeyDer::Pkcs8(self.secret.clone_key()))
            .map_err(refused)?;
        config.alpn_protocols = vec![ALPN.to_vec(), DESK_ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

/// The key in a certificate, as the TLS signature is checked with it.
///
/// # Errors
/// If it is too long, not X.509, or its key is not Ed25519.
pub(super) fn key_of(certificate: &CertificateDer<'_>) -> Result<PublicKey, rustls::Error> {
    if certificate.len() > CERTIFICATE_BYTES_MAX {
        return Err(rustls::Error::InvalidCertificate(CertificateError::BadEncoding));
    }
    // The very parser that `verify_tls13_signature` uses: both see one key, wherever else key-like bytes stand.
    let info = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
    let key = info.strip_prefix(&SPKI_PREFIX[..]).and_then(|key| <[u8; 32]>::try_from(key).ok());
    key.map(PublicKey).ok_or(rustls::Error::InvalidCertificate(CertificateError::BadEncoding))
}

/// The time never decides a connection: a machine whose clock stands at 1970 or 2040 must join all the same.
#[derive(Debug)]
struct NoClock;

impl TimeProvider for NoClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_800_000_000)))
    }
}

/// Proves which key is there. Refuses those that were cut off; all others show their certificate chain next, to the core.
#[derive(Debug)]
pub(super) struct Gate {
    own: PublicKey,
    /// `None`: a desk, to whom any node may show its chain.
    shared: Option<Shared>,
    provider: Arc<CryptoProvider>,
}

impl Gate {
    pub(super) fn new(own: PublicKey, shared: Option<Shared>) -> Arc<Self> {
        // Named, never the process default. X25519 alone: the post-quantum group makes the first flight longer than a packet,
        // and secrecy of what is posted on a public board for decades is worth less than joining over a lossy line.
        let provider = CryptoProvider {
            cipher_suites: vec![
                cipher_suite::TLS13_AES_128_GCM_SHA256,
                cipher_suite::TLS13_AES_256_GCM_SHA384,
                cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            ],
            kx_groups: vec![kx_group::X25519],
            ..aws_lc_rs::default_provider()
        };
        Arc::new(Self { own, shared, provider: Arc::new(provider) })
    }

    fn check(&self, certificate: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Result<(), rustls::Error> {
        if !others.is_empty() {
            return Err(rustls::Error::InvalidCertificate(CertificateError::BadEncoding));
        }
        let key = key_of(certificate)?;
        // Our own key comes through so that a dial of ourselves can be called by its name; no link is made of it.
        if key == self.own || self.shared.as_ref().is_none_or(|shared| shared.hears(&key)) {
            return Ok(());
        }
        Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }
}

/// TLS 1.2 is switched off; reaching this would be a fault of the library.
fn no_tls12() -> rustls::Error {
    rustls::Error::PeerIncompatible(rustls::PeerIncompatible::Tls12NotOffered)
}

/// What both verifiers say of the handshake's signature: the same, whichever side asks.
macro_rules! signatures_checked {
    () => {
        fn verify_tls12_signature(
            &self,
            _message: &[u8],
            _cert: &CertificateDer<'_>,
            _dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Err(no_tls12())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }
    };
}

impl ServerCertVerifier for Gate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.check(end_entity, intermediates).map(|()| ServerCertVerified::assertion())
    }

    signatures_checked!();
}

impl ClientCertVerifier for Gate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.check(end_entity, intermediates).map(|()| ClientCertVerified::assertion())
    }

    signatures_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_comes_out_of_the_certificate_whatever_its_dates_say() {
        for (from, to) in [(1971, 1972), (2000, 2999), (2500, 2600)] {
            let identity = Identity::with_years(&[7; 32], from, to).expect("a valid key");
            assert_eq!(identity.key(), Identity::new(&[7; 32]).expect("a valid key").key());
        }
        assert_ne!(Identity::new(&[8; 32]).expect("a valid key").key(), Identity::new(&[7; 32]).expect("a valid key").key());
    }

    #[test]
    fn a_certificate_with_a_second_key_like_text_still_has_one_key() {
        let mut params = rcgen::CertificateParams::new(vec!["x".to_owned()]).expect("a name");
        let mut decoy = SPKI_PREFIX.to_vec();
        decoy.extend_from_slice(&[9; 32]);
        params.custom_extensions.push(rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99_999, 1], decoy));
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
        let certificate = params.self_signed(&pair).expect("a certificate");
        let key = key_of(certificate.der()).expect("readable");
        assert_eq!(&key.0[..], pair.public_key_raw());
    }

    #[test]
    fn other_keys_and_broken_bytes_are_refused() {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
        let params = rcgen::CertificateParams::new(vec!["x".to_owned()]).expect("a name");
        let certificate = params.self_signed(&pair).expect("a certificate");
        assert!(key_of(certificate.der()).is_err());
        let good = Identity::new(&[7; 32]).expect("a valid key").certificate;
        for cut in 0..good.len() {
            assert!(key_of(&CertificateDer::from(good[..cut].to_vec())).is_err());
        }
        assert!(key_of(&CertificateDer::from(vec![0x30; CERTIFICATE_BYTES_MAX + 1])).is_err());
    }
}
