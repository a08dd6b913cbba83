//! Goes on with another configuration. All or nothing: whatever can fail is done before anything is replaced.

use anyhow::Context;
use probe_core::link::LinkState;

use super::Agent;
use super::input::Inputs;
use super::recovery::recovery_config;
use super::samples::sflow_config;
use super::start::{check_names, flight_config, log_config, metrics_server, ns, probe_config};
use crate::clock;
use crate::config::{Changed, Config};
use crate::export::Sflow;
use crate::logs::Logs;
use crate::metrics;
use crate::probe::Probes;

/// What has to be there before the old can go. `None`: it stays.
struct Prepared {
    probes: Option<Probes>,
    logs: Option<Logs>,
    /// `Some(None)`: there are no metrics from now on.
    metrics: Option<Option<metrics::Server>>,
}

impl Agent {
    /// Reads the configuration again, and goes on with it. Returns the keys whose values are others now.
    ///
    /// # Errors
    /// What is wrong with the file, what needs a restart, or what cannot be started: then nothing was changed.
    pub(super) fn reload(&mut self, inputs: &mut Inputs) -> anyhow::Result<Vec<&'static str>> {
        let Changed { config, keys } = self.config.again(&self.args)?;
        if keys.is_empty() {
            return Ok(keys);
        }
        let prepared = self.prepare(&config)?;
        let flight = flight_config(&config)?;
        let recovery = recovery_config(&config)?;
        self.teller.sinks.change(&config).context("receivers of events")?;
        // From here on nothing fails.
        if let Some(probes) = prepared.probes {
            self.losses.end(&inputs.probes.losses());
            inputs.probes = probes;
        }
        if let Some(logs) = prepared.logs {
            self.losses.end(&inputs.logs.losses());
            inputs.logs = logs;
        }
        if let Some(metrics) = prepared.metrics {
            inputs.metrics = metrics;
        }
        let sending = sflow_config(&config);
        if sending != sflow_config(&self.config) {
            if let Some(before) = &mut self.sflow {
                before.finish(clock::now());
            }
            self.losses.end(&Sflow::losses(self.sflow.as_ref()));
            self.sflow = Sflow::start(&sending, clock::now());
        }
        self.recoverer.configure(recovery);
        self.incidents.configure(&config);
        self.history.set_span(ns(config.before));
        super::logging::set(&config.log);
        self.config = config;
        let actions = self.flight.configure(clock::now(), flight);
        self.do_all(actions);
        self.set_rates();
        Ok(keys)
    }

    fn prepare(&self, config: &Config) -> anyhow::Result<Prepared> {
        let watched = (&self.config.bonds, &self.config.interfaces) != (&config.bonds, &config.interfaces);
        if watched {
            let links: Vec<LinkState> = self.flight.table().links().map(|link| link.state.clone()).collect();
            check_names(config, &links)?;
        }
        let (probing, logging) = (probe_config(config), log_config(config));
        let probes = (probing != probe_config(&self.config)).then(|| Probes::start(probing).context("probes"));
        let logs = (logging != log_config(&self.config)).then(|| Logs::start(&logging).context("logs"));
        let metrics = (config.metrics != self.config.metrics).then(|| metrics_server(config));
        Ok(Prepared { probes: probes.transpose()?, logs: logs.transpose()?, metrics: metrics.transpose()? })
    }
}
