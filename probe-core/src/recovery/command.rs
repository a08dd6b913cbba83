//! The operator's command: when it is run, and what it is told of the incident.

use super::Cause;
use super::order::Call;
use super::sight::Sight;
use super::written::{Match, Written, names};
use crate::timeline::LinkName;

/// Longest value of a variable, bytes: a verdict is a sentence, not a book.
const LONGEST: usize = 4096;

/// The call for an incident; `None` where nothing of it is a cause.
pub fn call(argv: &[String], on: &[Cause], written: &Written, sight: &Sight) -> Option<Call> {
    let matches = written.matches(on);
    if argv.is_empty() || matches.is_empty() {
        return None;
    }
    let bond = matches.iter().filter_map(|found| found.link.as_ref()).find_map(|link| sight.bond_of(link));
    let bond = bond.map(|bond| bond.link.clone());
    let environment = environment(written, &matches, bond.as_ref(), sight);
    Some(Call { argv: argv.to_vec(), environment, incident: written.id.clone(), bond })
}

fn environment(written: &Written, matches: &[Match], bond: Option<&LinkName>, sight: &Sight) -> Vec<(String, String)> {
    let is_slave = |link: &&LinkName| sight.slaves.iter().any(|slave| slave.link.name == link.name);
    let slave = matches.iter().filter_map(|found| found.link.as_ref()).find(is_slave);
    let findings: Vec<&str> = written.findings.iter().map(|found| found.kind.name()).collect();
    let triggers: Vec<&str> = written.triggers.iter().map(|fire| fire.kind).collect();
    let first = |found: &Match| found.cause.name().to_owned();
    let variables = [
        ("INCIDENT", written.id.clone()),
        ("DIRECTORY", written.directory.clone()),
        ("BOND", bond.map_or_else(String::new, |bond| bond.name.clone())),
        ("SLAVE", slave.map_or_else(String::new, |slave| slave.name.clone())),
        ("CAUSE", names(matches)),
        ("FINDING", matches.iter().find(|found| findings.contains(&found.cause.name())).map_or_else(String::new, first)),
        ("FINDINGS", once(&findings)),
        ("TRIGGER", triggers.first().map_or_else(String::new, |kind| (*kind).to_owned())),
        ("TRIGGERS", once(&triggers)),
        ("SEVERITY", written.severity.name().to_owned()),
        ("HEADLINE", written.headline.clone()),
    ];
    variables.into_iter().map(|(name, value)| (format!("LINKPROBE_{name}"), cut(&value))).collect()
}

/// Each word once, with spaces between.
fn once(words: &[&str]) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for word in words {
        if !kept.contains(word) {
            kept.push(word);
        }
    }
    kept.join(" ")
}

/// A text that can be the value of a variable: in one line, without zeros, and not too long.
fn cut(text: &str) -> String {
    let mut text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut end = LONGEST.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::super::causes;
    use super::super::testing::{lacp_bond, name, sight, working, written};
    use super::*;

    #[test]
    fn the_command_is_told_what_was_found_where_and_how_bad_it_is() {
        let sight = sight(lacp_bond(), vec![working(1, "eth1"), working(2, "eth2")]);
        let on = causes(&["lacpdus-not-arriving", "storm"]).expect("causes");
        let mut written = written(&["tx-blackout", "lacpdus-not-arriving"]);
        written.findings[1].link = Some(name(2, "eth2"));
        written.headline = "bond0: \u{1b}[31mTX blackout\0".to_owned();
        let call = call(&["/bin/mend".to_owned(), "-v".to_owned()], &on, &written, &sight).expect("a call");
        let value = |name: &str| {
            let found = call.environment.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("no {name}"))
        };
        assert_eq!((value("LINKPROBE_INCIDENT"), value("LINKPROBE_DIRECTORY")), ("20171205T051251Z", "/incidents/x"));
        assert_eq!((value("LINKPROBE_BOND"), value("LINKPROBE_SLAVE")), ("bond0", "eth2"));
        assert_eq!((value("LINKPROBE_FINDING"), value("LINKPROBE_CAUSE")), ("lacpdus-not-arriving", "lacpdus-not-arriving"));
        assert_eq!(value("LINKPROBE_FINDINGS"), "tx-blackout lacpdus-not-arriving");
        assert_eq!((value("LINKPROBE_TRIGGER"), value("LINKPROBE_TRIGGERS")), ("blackout", "blackout"));
        assert_eq!((value("LINKPROBE_SEVERITY"), value("LINKPROBE_HEADLINE")), ("critical", "bond0:  [31mTX blackout "));
        assert_eq!(call.argv, ["/bin/mend", "-v"]);
    }

    #[test]
    fn without_a_command_or_a_cause_there_is_no_call() {
        let sight = sight(lacp_bond(), vec![working(1, "eth1")]);
        let on = causes(&["tx-blackout"]).expect("a cause");
        assert_eq!(call(&[], &on, &written(&["tx-blackout"]), &sight), None);
        assert_eq!(call(&["x".to_owned()], &on, &written(&["path-loss"]), &sight), None);
        assert_eq!(call(&["x".to_owned()], &[], &written(&["tx-blackout"]), &sight), None);
    }

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        assert_eq!(cut(&"ä".repeat(5000)).len(), LONGEST);
        assert_eq!(cut(&("a".to_owned() + &"ä".repeat(5000))).len(), LONGEST - 1);
    }
}
