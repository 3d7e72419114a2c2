//! How much may be asked again: a share of what is asked at all, so that a query service in trouble does not get more
//! questions than one that is well.

use std::{sync::Arc, time::Duration};

use tower::retry::budget::{Budget, TpsBudget};

/// For how long a question counts.
const MEMORY: Duration = Duration::from_secs(10);
/// How many more questions there may be for each one that is asked.
const SHARE: f32 = 0.5;

/// Clones share one account.
#[derive(Clone, Debug)]
pub(crate) struct Retries(Arc<TpsBudget>);

impl Retries {
    /// `reserve` questions may always be asked again within ten seconds.
    pub(crate) fn new(reserve: usize) -> Self {
        let a_second = u32::try_from(reserve / MEMORY.as_secs() as usize).unwrap_or(u32::MAX).clamp(1, 1_000_000);
        Self(Arc::new(TpsBudget::new(MEMORY, a_second, SHARE)))
    }

    /// A question is asked for the first time.
    pub(crate) fn asked(&self) {
        self.0.deposit();
    }

    /// Whether one may be asked again, which is then counted.
    pub(crate) fn may_ask_again(&self) -> bool {
        let may = self.0.withdraw();
        if may {
            metrics::counter!("aviary_gateway_retries_total").increment(1);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_reserve_and_half_of_what_is_asked_may_be_asked_again() {
        let retries = Retries::new(20);
        let granted = |retries: &Retries| (0..1000).filter(|_| retries.may_ask_again()).count();
        assert_eq!(granted(&retries), 20);
        (0..100).for_each(|_| retries.asked());
        assert_eq!(granted(&retries), 50);
    }
}
