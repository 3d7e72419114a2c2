//! What to do when: a state machine over everything that can happen to an agent and its server. It waits for nothing and does
//! nothing; `serve` carries its commands out and tells it what came of them.

use std::time::Duration;

/// The first wait after a failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Another agent may still have the volume: nothing is touched.
    Outside,
    /// The instance is made what it should be, and started.
    Settling {
        /// How often in a row it could not be, or the server ended.
        failures: u32,
        /// Whether something else is wanted by now.
        again: bool,
    },
    /// The instance is what it should be, and its server runs.
    Serving {
        /// The same. They are forgotten when it is looked at next.
        failures: u32,
    },
    /// The next attempt waits.
    Waiting {
        /// The same.
        failures: u32,
    },
    /// The end has come in the middle of the work, which stops at the next place where it can.
    Interrupted,
    /// The server is stopped.
    Stopping,
    /// Nothing is left to do.
    Ended,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The volume is this agent's.
    Entered,
    /// The instance is what it should be.
    Settled,
    /// It could not be made so.
    Failed,
    /// The server's process is gone.
    Gone,
    /// The wait is over.
    Due,
    /// Something else is wanted.
    Changed,
    /// The agent is to end.
    Terminate,
    /// The server has been stopped, or could not be.
    Stopped,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Have the volume for this agent alone.
    Enter,
    /// Make the instance what it should be.
    Settle,
    /// Stop doing so, where it can be gone on with.
    Interrupt,
    /// Wait so long, and no longer for anything before; `None` is until it is compared with what it should be.
    Wait(Option<Duration>),
    /// Stop the server.
    Stop,
    /// End.
    End,
}

impl State {
    /// The state of a new agent.
    pub(crate) const FIRST: Self = Self::Outside;

    /// What it is to do.
    pub(crate) const BEGIN: Command = Command::Enter;

    /// What comes of an event. What cannot happen in a state changes nothing.
    pub(crate) fn after(self, event: Event) -> (Self, Option<Command>) {
        match (self, event) {
            (Self::Outside, Event::Entered) => settling(0),
            // The server is whose the volume is.
            (Self::Outside, Event::Terminate) => (Self::Ended, Some(Command::End)),
            (Self::Settling { again: true, .. }, Event::Settled | Event::Failed) => settling(0),
            (Self::Settling { failures, .. }, Event::Settled) => (Self::Serving { failures }, Some(Command::Wait(None))),
            (Self::Settling { failures, .. }, Event::Failed) => waiting(failures + 1),
            (Self::Settling { failures, .. }, Event::Changed) => (Self::Settling { failures, again: true }, None),
            (Self::Settling { .. }, Event::Terminate) => (Self::Interrupted, Some(Command::Interrupt)),
            // One that ends now and then is started at once; one that ends again soon waits.
            (Self::Serving { failures: 0 }, Event::Gone) => settling(1),
            (Self::Serving { failures }, Event::Gone) => waiting(failures + 1),
            (Self::Waiting { failures }, Event::Due) => settling(failures),
            (Self::Serving { .. }, Event::Due) | (Self::Serving { .. } | Self::Waiting { .. }, Event::Changed) => settling(0),
            (Self::Serving { .. } | Self::Waiting { .. }, Event::Terminate) => (Self::Stopping, Some(Command::Stop)),
            (Self::Interrupted, Event::Settled | Event::Failed) => (Self::Stopping, Some(Command::Stop)),
            (Self::Stopping, Event::Stopped) => (Self::Ended, Some(Command::End)),
            (state, _) => (state, None),
        }
    }
}

fn settling(failures: u32) -> (State, Option<Command>) {
    (State::Settling { failures, again: false }, Some(Command::Settle))
}

fn waiting(failures: u32) -> (State, Option<Command>) {
    let doubled = 2_u32.checked_pow(failures.saturating_sub(1)).and_then(|times| FIRST_WAIT.checked_mul(times));
    let wait = doubled.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
    (State::Waiting { failures }, Some(Command::Wait(Some(wait))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 8] = [
        Event::Entered,
        Event::Settled,
        Event::Failed,
        Event::Gone,
        Event::Due,
        Event::Changed,
        Event::Terminate,
        Event::Stopped,
    ];

    const fn settle(failures: u32) -> State {
        State::Settling { failures, again: false }
    }

    const fn wait(seconds: u64) -> Option<Command> {
        Some(Command::Wait(Some(Duration::from_secs(seconds))))
    }

    /// What comes of each event, in the order of `EVENTS`; `None` changes nothing.
    #[track_caller]
    fn check(state: State, expected: [Option<(State, Option<Command>)>; EVENTS.len()]) {
        for (event, expected) in EVENTS.into_iter().zip(expected) {
            assert_eq!(state.after(event), expected.unwrap_or((state, None)), "{state:?} {event:?}");
        }
    }

    #[test]
    fn every_event_has_its_outcome_in_every_state() {
        let serving = |failures| Some((State::Serving { failures }, Some(Command::Wait(None))));
        let waiting = |failures, seconds| Some((State::Waiting { failures }, wait(seconds)));
        let settling = |failures| Some((settle(failures), Some(Command::Settle)));
        let stopping = Some((State::Stopping, Some(Command::Stop)));
        let interrupted = Some((State::Interrupted, Some(Command::Interrupt)));
        let again = |failures| Some((State::Settling { failures, again: true }, None));
        let ended = Some((State::Ended, Some(Command::End)));

        check(State::Outside, [settling(0), None, None, None, None, None, ended, None]);
        check(settle(0), [None, serving(0), waiting(1, 1), None, None, again(0), interrupted, None]);
        check(settle(2), [None, serving(2), waiting(3, 4), None, None, again(2), interrupted, None]);
        let changed = State::Settling { failures: 2, again: true };
        check(changed, [None, settling(0), settling(0), None, None, again(2), interrupted, None]);
        check(State::Serving { failures: 0 }, [None, None, None, settling(1), settling(0), settling(0), stopping, None]);
        check(State::Serving { failures: 1 }, [None, None, None, waiting(2, 2), settling(0), settling(0), stopping, None]);
        check(State::Waiting { failures: 3 }, [None, None, None, None, settling(3), settling(0), stopping, None]);
        check(State::Interrupted, [None, stopping, stopping, None, None, None, None, None]);
        check(State::Stopping, [None, None, None, None, None, None, None, ended]);
        check(State::Ended, [None; 8]);
    }

    #[test]
    fn waits_double_up_to_a_minute() {
        for (failures, seconds) in [(0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (40, 60), (u32::MAX - 1, 60)] {
            assert_eq!(settle(failures).after(Event::Failed).1, wait(seconds), "{failures}");
        }
    }

    #[test]
    fn whatever_happens_an_agent_that_is_to_end_ends() {
        // Every state that can be reached, by any way.
        let mut reached = vec![State::FIRST];
        let mut next = 0;
        while let Some(state) = reached.get(next).copied() {
            for event in EVENTS {
                let (after, _) = state.after(event);
                let is_new = !reached.contains(&after);
                if is_new && !matches!(after, State::Settling { failures: 4.., .. } | State::Waiting { failures: 4.. }) {
                    reached.push(after);
                }
            }
            next += 1;
        }
        for state in reached {
            let end =
                [Event::Terminate, Event::Failed, Event::Stopped].into_iter().fold(state, |state, event| state.after(event).0);
            assert_eq!(end, State::Ended, "{state:?}");
        }
    }
}
