//! Host names of targets, resolved now and again. The system's resolver may take its time: it runs on a thread of its own.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::mpsc;

/// Time to the next attempt after a failure.
const RETRY: Duration = Duration::from_secs(10);
/// Time after which a name that resolved is looked up again.
const REFRESH: Duration = Duration::from_secs(300);

/// What a look-up gave.
pub(super) type Resolved = (String, Result<Vec<IpAddr>, String>);

/// The names, and the addresses that they have now.
pub(super) struct Names {
    known: BTreeMap<String, Known>,
    results: mpsc::Receiver<Resolved>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    address: Option<IpAddr>,
    failed: bool,
}

impl Names {
    /// Starts to resolve each name, over and over.
    pub(super) fn start(names: impl Iterator<Item = String>) -> Self {
        let (sender, results) = mpsc::channel(16);
        let known: BTreeMap<String, Known> = names.map(|name| (name, Known::default())).collect();
        for name in known.keys().cloned() {
            tokio::spawn(resolve(name, sender.clone()));
        }
        Self { known, results }
    }

    /// The next result; for ever without names. Safe to drop before it is ready.
    pub(super) async fn next(&mut self) -> Resolved {
        match self.results.recv().await {
            Some(resolved) => resolved,
            None => std::future::pending().await,
        }
    }

    /// Takes a result. Returns what is wrong, when that is news.
    pub(super) fn take(&mut self, (name, found): Resolved) -> Option<String> {
        let known = self.known.entry(name.clone()).or_default();
        let failed = std::mem::replace(&mut known.failed, found.is_err());
        match found {
            Ok(addresses) => {
                // An address that is still among them stays: resolvers give them in another order each time.
                if known.address.is_none_or(|address| !addresses.contains(&address)) {
                    known.address = addresses.first().copied();
                }
                None
            }
            // What it resolved to before is asked on: an outage takes the name servers away too.
            Err(why) => (!failed).then(|| match known.address {
                Some(address) => format!("target {name} does not resolve any more: {why}; asking {address} on"),
                None => format!("target {name} does not resolve: {why}; trying again every {} s", RETRY.as_secs()),
            }),
        }
    }

    /// The address of a name: `None` before the first look-up is done.
    pub(super) fn address(&self, name: &str) -> Option<Result<IpAddr, String>> {
        let known = self.known.get(name)?;
        let failure = || known.failed.then(|| Err(format!("{name} does not resolve")));
        known.address.map(Ok).or_else(failure)
    }
}

async fn resolve(name: String, results: mpsc::Sender<Resolved>) {
    loop {
        let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|error| error.to_string());
        let found = found.map(|addresses| addresses.map(|address| address.ip()).collect::<Vec<_>>());
        let found = found.and_then(|found| if found.is_empty() { Err("it has no address".to_owned()) } else { Ok(found) });
        let pause = if found.is_ok() { REFRESH } else { RETRY };
        if results.send((name.clone(), found)).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names { known: BTreeMap::new(), results: mpsc::channel(1).1 }
    }

    fn addresses(last: &[u8]) -> Result<Vec<IpAddr>, String> {
        Ok(last.iter().map(|last| IpAddr::from([192, 0, 2, *last])).collect())
    }

    fn take(names: &mut Names, found: Result<Vec<IpAddr>, String>) -> Option<String> {
        names.take(("ns1.example".to_owned(), found))
    }

    #[test]
    fn a_name_keeps_its_address_while_that_is_among_those_that_it_resolves_to() {
        let mut names = names();
        assert_eq!(names.address("ns1.example"), None);
        take(&mut names, addresses(&[1, 2]));
        assert_eq!(names.address("ns1.example"), Some(Ok(IpAddr::from([192, 0, 2, 1]))));
        take(&mut names, addresses(&[2, 1]));
        assert_eq!(names.address("ns1.example"), Some(Ok(IpAddr::from([192, 0, 2, 1]))));
        take(&mut names, addresses(&[3]));
        assert_eq!(names.address("ns1.example"), Some(Ok(IpAddr::from([192, 0, 2, 3]))));
    }

    #[test]
    fn a_name_that_does_not_resolve_is_told_once_and_its_last_address_is_kept() {
        let mut names = names();
        let told = take(&mut names, Err("no such host".to_owned())).expect("told");
        assert!(told.contains("ns1.example") && told.contains("no such host"), "{told}");
        assert_eq!(take(&mut names, Err("no such host".to_owned())), None);
        assert_eq!(names.address("ns1.example"), Some(Err("ns1.example does not resolve".to_owned())));
        take(&mut names, addresses(&[1]));
        let told = take(&mut names, Err("timed out".to_owned())).expect("told again");
        assert!(told.contains("192.0.2.1"), "{told}");
        assert_eq!(names.address("ns1.example"), Some(Ok(IpAddr::from([192, 0, 2, 1]))));
    }
}
