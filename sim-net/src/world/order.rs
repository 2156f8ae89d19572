//! What operators and figures tell nodes to do, booked before it is handed in.

use holdfast_proto::control::{Command, CommandId};
use holdfast_proto::io::Input;

use super::World;
use crate::workload::Kind;

impl World {
    /// Gives a command to a running node.
    pub fn command(&mut self, node: usize, kind: Kind, command: Command) {
        if self.slots[node].driver.is_none() {
            return;
        }
        let slot = &mut self.slots[node];
        slot.next_command += 1;
        let id = CommandId(slot.next_command);
        let values = if let Command::Report(report) = &command { Some(report.values.clone()) } else { None };
        self.checker.asked(node, id.0, self.now, kind, values.as_ref());
        self.give(node, Input::Command { id, command });
    }

    /// A request nobody else made, by the desk of this node: for figures.
    pub fn plain_request(&mut self, node: usize) {
        let command = self.slots[node].desk.plain_request();
        self.command(node, Kind::New, command);
    }

    /// A report by the desk of this node: for figures.
    pub fn plain_report(&mut self, node: usize) {
        let command = self.slots[node].desk.plain_report();
        self.command(node, Kind::Report, command);
    }
}
