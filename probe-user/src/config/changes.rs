//! A configuration read again while the agent runs: what is another now, and what cannot be.

use std::collections::BTreeMap;

use super::error::{ConfigError, ConfigErrors, Place};
use super::{Config, RunArgs, file, render};

/// Keys that only a start reads, and why.
const FIXED: [(&str, &str); 7] = [
    ("hook", "taps are attached by it"),
    ("snaplen", "the kernel programs are loaded with it"),
    ("control-snaplen", "the kernel programs are loaded with it"),
    ("memory", "the recorder is made with it"),
    ("storm-rate", "the kernel programs are loaded with it"),
    ("instance", "others find the agent by it"),
    ("run-dir", "others find the agent by it"),
];

/// Another configuration for a running agent.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The whole of it.
    pub config: Config,
    /// Keys whose values are others than before, in the order in which they are shown.
    pub keys: Vec<&'static str>,
}

impl Config {
    /// Reads the configuration of a running agent again: `args` as at its start.
    ///
    /// # Errors
    /// Everything that is wrong with the file, and every change that needs a restart; `self` is as good as before then.
    pub fn again(&self, args: &RunArgs) -> Result<Changed, ConfigErrors> {
        let Some(path) = &args.config else {
            let message = "there is no file to read again: the agent was started without --config".to_owned();
            return Err(ConfigErrors(vec![ConfigError { place: Place::CommandLine, message }]));
        };
        let file = file::read(path)?;
        let places = file.places.clone();
        let whole = Place::File { path: path.display().to_string(), line: 0, column: 0 };
        let config = Self::from_parts(args.settings.clone(), file, &whole)?;
        self.compare(config, &places, &whole)
    }

    fn compare(&self, config: Self, places: &BTreeMap<&'static str, Place>, whole: &Place) -> Result<Changed, ConfigErrors> {
        let (before, after) = (render::lines(self), render::lines(&config));
        let changed = before.iter().zip(&after).filter(|(before, after)| before.1 != after.1);
        let (mut keys, mut errors) = (Vec::new(), Vec::new());
        for ((key, running), (_, wanted)) in changed {
            keys.push(*key);
            if let Some((_, why)) = FIXED.iter().find(|(fixed, _)| fixed == key) {
                let place = places.get(key).unwrap_or(whole).clone();
                let message = format!("key `{key}`: {wanted} needs a restart, {why} ({running} until then)");
                errors.push(ConfigError { place, message });
            }
        }
        if errors.is_empty() { Ok(Changed { config, keys }) } else { Err(ConfigErrors(errors)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::config::file::FileSettings;

    const RUNNING: &str = "bond = \"bond0\"\nmemory = \"64MiB\"\nafter = \"10s\"\n";

    fn config(text: &str) -> (Config, FileSettings) {
        let file = file::parse("lp.toml", text).expect("right");
        (Config::from_parts(Settings::default(), file.clone(), &whole()).expect("right"), file)
    }

    fn whole() -> Place {
        Place::File { path: "lp.toml".to_owned(), line: 0, column: 0 }
    }

    fn changed(text: &str) -> Result<Vec<&'static str>, String> {
        let (wanted, file) = config(text);
        let changed = config(RUNNING).0.compare(wanted, &file.places, &whole());
        changed.map(|changed| changed.keys).map_err(|errors| errors.to_string())
    }

    #[test]
    fn what_is_another_is_told_by_its_key_also_where_it_went_back_to_its_default() {
        assert_eq!(changed(RUNNING), Ok(vec![]));
        assert_eq!(changed("bond = \"bond0\"\nbefore = \"5s\"\nafter = \"9s\"\n"), Ok(vec!["before", "after"]));
        assert_eq!(changed("bond = \"bond0\"\nmemory = 67108864\n"), Ok(vec![]), "the same, said otherwise");
    }

    #[test]
    fn what_needs_a_restart_is_refused_with_its_place_and_with_it_all_the_rest() {
        let error = changed("bond = \"bond0\"\nafter = \"9s\"\n\nmemory = \"32MiB\"\n").expect_err("needs a restart");
        assert_eq!(
            error,
            "lp.toml:4:1: key `memory`: \"32MiB\" needs a restart, the recorder is made with it (\"64MiB\" until then)"
        );
        let error = changed("bond = \"bond0\"\nsnaplen = 300\n").expect_err("needs a restart");
        assert_eq!(error.lines().count(), 2, "control-snaplen follows snaplen: {error}");
    }

    #[test]
    fn without_a_file_there_is_nothing_to_read_again() {
        let args = RunArgs::default();
        let error = config(RUNNING).0.again(&args).expect_err("no file").to_string();
        assert_eq!(error, "command line: there is no file to read again: the agent was started without --config");
    }
}
