//! `linkprobe doctor`: what this kernel and each interface can do, which hook will be used, and why.

use anyhow::{Context, bail};
use clap::Args;
use probe_core::link::LinkState;
use serde::Serialize;

use crate::kernel::features::{self, Features};
use crate::kernel::hook::{self, Choice, HookChoice};
use crate::netlink::links;
use crate::text::{Table, print};

/// Options of `linkprobe doctor`.
#[derive(Args, Clone, Debug)]
pub struct DoctorArgs {
    /// Interfaces; a bond brings its slaves [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Print everything as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Findings {
    #[serde(flatten)]
    kernel: Features,
    interfaces: Vec<Interface>,
    sufficient: bool,
}

#[derive(Serialize)]
struct Interface {
    name: String,
    ifindex: u32,
    kind: Option<String>,
    master: Option<String>,
    #[serde(flatten)]
    hooks: Hooks,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Hooks {
    Chosen(Box<Choice>),
    None { error: String },
}

/// Looks, and changes nothing.
///
/// # Errors
/// For a name that no link has; and when something that is required is missing, so that a script can ask.
pub fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    let kernel = features::probe(None);
    let found = links().context("rtnetlink")?.links;
    let findings = Findings { sufficient: kernel.sufficient(), interfaces: interfaces(&found, &args.names)?, kernel };
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&findings)?))?;
    } else {
        print(&render(&findings))?;
    }
    if !findings.sufficient {
        bail!("linkprobe cannot record here: see what is required and missing");
    }
    Ok(())
}

fn interfaces(found: &[LinkState], names: &[String]) -> anyhow::Result<Vec<Interface>> {
    if let Some(unknown) = names.iter().find(|name| !found.iter().any(|link| link.name == **name)) {
        bail!("no interface is called {unknown}");
    }
    let name_of = |ifindex: u32| found.iter().find(|link| link.ifindex == ifindex).map(|link| link.name.clone());
    let wanted = |link: &&LinkState| {
        let master = link.master.and_then(name_of);
        names.is_empty() || names.contains(&link.name) || master.is_some_and(|master| names.contains(&master))
    };
    let interface = |link: &LinkState| Interface {
        name: link.name.clone(),
        ifindex: link.ifindex,
        kind: link.kind.clone(),
        master: link.master.and_then(name_of),
        hooks: match hook::choose(link.ifindex, HookChoice::Auto) {
            Ok(choice) => Hooks::Chosen(Box::new(choice)),
            Err(error) => Hooks::None { error: error.to_string() },
        },
    };
    Ok(found.iter().filter(wanted).map(interface).collect())
}

fn render(findings: &Findings) -> String {
    let kernel = &findings.kernel;
    let mut features = Table::new(["", "feature", "what it means"]);
    for feature in &kernel.features {
        let mark = match (feature.available, feature.required) {
            (true, _) => "yes",
            (false, true) => "MISSING",
            (false, false) => "no",
        };
        features.row([mark.into(), feature.name.into(), feature.consequence.clone()]);
    }
    let mut text = format!("Kernel {}\n{}", kernel.kernel, features.render(2));
    for name in &kernel.missing_capabilities {
        text += &format!("  MISSING capability {name}, for {}\n", features::purpose(name));
    }
    text += "\nInterfaces\n";
    let mut table = Table::new(["name", "kind", "receive", "transmit", "why this hook for receive"]);
    for interface in &findings.interfaces {
        let kind = interface.kind.clone().unwrap_or_else(|| "port".into());
        let kind = interface.master.as_ref().map_or(kind.clone(), |master| format!("{kind} in {master}"));
        match &interface.hooks {
            Hooks::Chosen(choice) => table.row([
                interface.name.clone(),
                kind,
                choice.ingress.name().into(),
                choice.egress.name().into(),
                choice.why.clone(),
            ]),
            Hooks::None { error } => table.row([interface.name.clone(), kind, "none".into(), "none".into(), error.clone()]),
        }
    }
    text += &table.render(2);
    let verdict = if findings.sufficient { "can record here" } else { "cannot record here" };
    text + &format!("\nlinkprobe {verdict}.\n")
}
