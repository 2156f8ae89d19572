//! The services a node may offer: one row each. Numbers are for ever; a retired row stays.

use serde::Serialize;

use super::field::{Choice, choice};

/// One service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Wire number, for ever.
    pub number: u8,
    /// As typed after `service.`.
    pub code: &'static str,
    /// English.
    pub en: &'static str,
    /// Traditional Chinese (Taiwan).
    pub zh: &'static str,
}

const fn service(number: u8, code: &'static str, en: &'static str, zh: &'static str) -> Service {
    Service { number, code, en, zh }
}

/// Every service there is.
pub const SERVICES: &[Service] = &[
    service(1, "charging", "Phone charging", "手機充電"),
    service(2, "wifi", "Wi-Fi", "無線網路"),
    service(3, "toilet", "Toilet", "廁所"),
    service(4, "drinking_water", "Drinking water", "飲用水"),
    service(5, "hot_water", "Hot water", "熱水"),
    service(6, "first_aid", "First aid", "急救"),
    service(7, "aed", "AED", "自動體外心臟電擊去顫器（AED）"),
    service(8, "shelter", "Shelter", "收容處所"),
    service(9, "parcel", "Parcels", "包裹收寄"),
    service(10, "cash", "Cash", "提款"),
    service(11, "cooking", "Cooking", "烹煮"),
    service(12, "phone", "Phone", "電話"),
    service(13, "radio", "Radio relay", "無線電傳訊"),
    service(14, "information", "Information", "資訊看板"),
    service(15, "medicine", "Medicine", "藥品"),
    service(16, "shower", "Shower", "淋浴"),
    service(17, "laundry", "Laundry", "洗衣"),
    service(18, "cooling", "Cooling", "避暑"),
    service(19, "warming", "Warming", "取暖"),
    service(20, "step_free", "Step-free access", "無障礙通行"),
    service(21, "nursing", "Nursing room", "哺集乳室"),
    service(22, "refuel", "Fuel for vehicles", "車輛加油"),
    service(23, "power_outlet", "Power for medical devices", "醫療器材供電"),
    service(24, "family_contact", "Messages to family", "報平安"),
    service(25, "pets", "Pets welcome", "可帶寵物"),
];

/// Number of "not offered": those stand in a list of their own.
pub const NOT_OFFERED: u64 = 2;

/// How far a service is there (EDXL-HAVE). Numbers are for ever.
pub const AVAILABILITY: &[Choice] = &[
    choice(0, "adequate", "available", "有提供"),
    choice(1, "insufficient", "not enough", "不足"),
    choice(2, "not_offered", "not offered", "不提供"),
    choice(3, "unknown", "unknown", "狀況不明"),
];

/// Readings of services hold so long by default, in seconds. Guess: half a day, a shift.
pub const SERVICE_VALID_S: u32 = 12 * 3_600;

/// The service with this wire number.
#[must_use]
pub fn service_of(number: u8) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.number == number)
}

/// The service with this code, or this name in either language.
#[must_use]
pub fn service_named(name: &str) -> Option<&'static Service> {
    let folded = super::text::fold(name);
    SERVICES.iter().find(|service| [service.code, service.en, service.zh].iter().any(|own| super::text::fold(own) == folded))
}

const _: () = {
    let mut i = 0;
    while i < SERVICES.len() {
        let mut j = i + 1;
        while j < SERVICES.len() {
            assert!(SERVICES[i].number != SERVICES[j].number, "two services with one number");
            j += 1;
        }
        i += 1;
    }
};
