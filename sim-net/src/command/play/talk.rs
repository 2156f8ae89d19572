//! What comes to the thread that plays: lines of the keyboard and requests of the API, and what is answered.

use std::sync::mpsc::SyncSender;

use holdfast_proto::domain::refusal::Refusal;
use holdfast_sim::control::{CheckpointsView, Control, Order, SitesView, StateView};
use serde::Serialize;
use tokio::sync::oneshot;

/// Something for the thread that plays.
pub(super) enum Heard {
    /// A line of the keyboard; whoever read it waits to be told that it was taken.
    Line(String, SyncSender<()>),
    /// A request.
    Call(Call),
    /// No more lines will come.
    KeyboardGone,
}

/// A request, and where the answer goes.
pub(super) struct Call {
    pub ask: Ask,
    pub answer: oneshot::Sender<Result<Answer, Box<Refusal>>>,
}

/// What may be asked.
#[derive(Debug)]
pub(super) enum Ask {
    /// Where play stands.
    State,
    /// All sites, as one of them shows them.
    Sites(Option<String>),
    /// Moments to go back to.
    Checkpoints,
    /// Do this.
    Order(Order),
}

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Answer {
    /// Where play stands.
    State(Box<StateView>),
    /// All sites.
    Sites(SitesView),
    /// Moments to go back to.
    Checkpoints(CheckpointsView),
    /// It was done.
    Done(Box<DoneView>),
}

/// An order was carried out.
#[derive(Debug, Serialize)]
pub(super) struct DoneView {
    /// `holdfast.sim.done/1`.
    schema: &'static str,
    /// Number of the inject that was done, if one was.
    inject: Option<u32>,
    /// Where play stands now.
    state: StateView,
}

impl Ask {
    /// Asks it of the play.
    pub(super) fn of(self, control: &mut Control) -> Result<Answer, Box<Refusal>> {
        Ok(match self {
            Self::State => Answer::State(Box::new(control.state())),
            Self::Sites(as_seen_by) => Answer::Sites(control.sites(as_seen_by.as_deref())?),
            Self::Checkpoints => Answer::Checkpoints(control.checkpoints()),
            Self::Order(order) => {
                let done = control.obey(order)?;
                Answer::Done(Box::new(DoneView { schema: "holdfast.sim.done/1", inject: done.inject, state: control.state() }))
            }
        })
    }
}
