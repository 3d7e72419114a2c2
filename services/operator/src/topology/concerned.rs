//! Who is to be looked at again: each once, however often that was said, so that nobody who says so has to wait.

use std::{
    collections::BTreeSet,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use futures::Stream;
use kube::{Resource, runtime::reflector::ObjectRef};
use tokio::sync::Notify;

/// Those of a kind, by namespace and name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Concerned(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    names: Mutex<BTreeSet<(String, String)>>,
    is_any: Notify,
}

impl Concerned {
    /// This one is to be looked at.
    pub(crate) fn add(&self, namespace: &str, name: &str) {
        let mut names = self.0.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert((namespace.to_owned(), name.to_owned()));
        self.0.is_any.notify_one();
    }

    /// All, as they come, for one who listens.
    pub(crate) fn stream<K>(&self) -> impl Stream<Item = ObjectRef<K>> + use<K>
    where
        K: Resource,
        K::DynamicType: Default + Clone + Eq + Hash,
    {
        futures::stream::unfold(Arc::clone(&self.0), |inner| async move {
            loop {
                let first = inner.names.lock().unwrap_or_else(PoisonError::into_inner).pop_first();
                if let Some((namespace, name)) = first {
                    return Some((ObjectRef::new(&name).within(&namespace), inner));
                }
                inner.is_any.notified().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;
    use crate::crd::DS389Instance;

    #[tokio::test]
    async fn each_comes_once_and_whoever_waits_is_woken() {
        let concerned = Concerned::default();
        let mut stream = std::pin::pin!(concerned.stream::<DS389Instance>());
        for name in ["b", "a", "b"] {
            concerned.add("test", name);
        }
        let names = [stream.next().await, stream.next().await].map(|one| one.unwrap().name);
        assert_eq!(names, ["a", "b"]);
        let later = concerned.clone();
        let (next, ()) = tokio::join!(stream.next(), async move { later.add("test", "c") });
        assert_eq!(next.unwrap().name, "c");
    }
}
