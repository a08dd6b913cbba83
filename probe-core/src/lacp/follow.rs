//! A slave followed: both ends' LACPDUs, and whether LACP works there.

use super::side::{self, Side};
use super::words;
use super::{Lacpdu, PortInfo};
use crate::direction::Direction;
use crate::time::{Mono, SECOND};
use crate::timeline::What;
use crate::trigger::Kind;

/// What a LACPDU says is told as a failure only if the link is still up so much later: a carrier that is about to go, or a slave
/// that is taken out of its bond, is another story.
const SETTLE: u64 = SECOND / 2;
/// Another partner is told only if it stays for so long: an end that comes up may change its key more than once.
const PARTNER_SETTLE: u64 = 2 * SECOND;
/// So long after its link came back LACP has to work again where it worked before.
const CONVERGE: u64 = 15 * SECOND;

/// Whether LACP works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The link is down: what LACP says then is no news.
    LinkDown,
    /// It was not seen to work yet: nothing is expected of it.
    New,
    /// It worked before, and the link came back.
    Converging {
        /// By then it should work.
        until: Mono,
    },
    /// Both ends say that traffic passes, and go on saying so.
    Working,
    /// It stopped working a moment ago.
    Failing {
        /// When that is told if it stays so.
        tell: Mono,
    },
    /// It no longer works.
    Failed,
}

/// Who answers at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partner(PortInfo);

/// What comes of an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// For the timeline.
    pub entries: Vec<(Mono, What)>,
    /// What fires: when it happened, what, and why in words.
    pub fired: Vec<(Mono, Kind, String)>,
}

/// LACP on one slave.
#[derive(Clone, Debug)]
pub struct Follow {
    ours: Side,
    partner: Side,
    phase: Phase,
    /// Since when the link is up, or has been followed.
    since: Mono,
    /// It worked at some time.
    worked: bool,
    /// [`Kind::LacpDown`] was told, and [`Kind::LacpUp`] not yet.
    told_down: bool,
    /// Who answered when it worked last.
    known: Option<Partner>,
    /// Since when another one answers.
    another: Option<Mono>,
}

impl Partner {
    fn of(actor: &PortInfo) -> Self {
        let PortInfo { system, key, port, .. } = *actor;
        Self(PortInfo { system, key, port, ..PortInfo::default() })
    }
}

impl Follow {
    /// A slave from `at` on. `works`: the kernel says that it does.
    pub fn new(at: Mono, up: bool, works: bool) -> Self {
        let phase = match (up, works) {
            (false, _) => Phase::LinkDown,
            (true, true) => Phase::Working,
            (true, false) => Phase::New,
        };
        let (ours, partner) = (Side::default(), Side::default());
        Self { ours, partner, phase, since: at, worked: up && works, told_down: false, known: None, another: None }
    }

    /// One end: [`Direction::Egress`] is ours.
    pub fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Egress => &self.ours,
            Direction::Ingress => &self.partner,
        }
    }

    /// Whether LACP works.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Time between two LACPDUs that an end owes the other, nanoseconds.
    pub fn interval(&self, direction: Direction) -> Option<u64> {
        let pdu = |direction| self.side(direction).last().map(|(_, pdu)| pdu);
        side::interval(pdu(direction).as_ref(), pdu(direction.other()).as_ref())
    }

    /// The link is up or down from `at` on; `fell`: it was down for a moment before that, unseen.
    pub fn link(&mut self, at: Mono, up: bool, fell: bool) {
        let was_up = self.phase != Phase::LinkDown;
        if was_up && (!up || fell) {
            self.ours.forget();
            self.partner.forget();
            self.another = None;
            self.phase = Phase::LinkDown;
        }
        if up && (!was_up || fell) {
            self.since = at;
            self.phase = if self.worked { Phase::Converging { until: at.plus(CONVERGE) } } else { Phase::New };
        }
    }

    /// A LACPDU passed at `at`; `now` it is known.
    pub fn lacpdu(&mut self, now: Mono, at: Mono, direction: Direction, pdu: Lacpdu) -> Told {
        let mut told = Told::default();
        let (interval, side) = (self.interval(direction), self.side_mut(direction));
        let came = side.take(at, pdu);
        if let Some(for_ns) = came.after_silence {
            let limit_ns = side::limit(interval.unwrap_or(side::LONG));
            told.entries.push((at, What::LacpSilence { direction, silent: false, for_ns, limit_ns }));
        }
        if came.before != Some(pdu) {
            told.entries.push((at, What::Lacp { direction, from: came.before, to: pdu }));
        }
        if direction == Direction::Ingress {
            self.answers(at, &pdu.actor);
        }
        self.judge(now, at, &mut told);
        told
    }

    /// A frame that should be a LACPDU cannot be understood.
    pub fn malformed(&mut self, direction: Direction) {
        self.side_mut(direction).malformed_came();
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Mono) -> Told {
        let mut told = Told::default();
        for direction in [Direction::Ingress, Direction::Egress] {
            let Some((due, limit_ns)) = self.silence_due(direction).filter(|(due, _)| *due <= now) else { continue };
            self.side_mut(direction).silence(due);
            told.entries.push((due, What::LacpSilence { direction, silent: true, for_ns: limit_ns, limit_ns }));
        }
        self.judge(now, now, &mut told);
        told
    }

    /// When [`Self::tick`] is wanted.
    pub fn deadline(&self) -> Option<Mono> {
        if self.phase == Phase::LinkDown {
            return None;
        }
        let silence = |direction| self.silence_due(direction).map(|(due, _)| due);
        let phase = match self.phase {
            Phase::Failing { tell } => Some(tell),
            // Both may have said so before it was known that the link is up.
            Phase::New | Phase::Converging { .. } if self.both_good() => Some(self.since),
            Phase::Converging { until } => self.trouble().map(|_| until),
            _ => None,
        };
        let partner = self.another.map(|at| at.plus(PARTNER_SETTLE));
        [silence(Direction::Ingress), silence(Direction::Egress), phase, partner].into_iter().flatten().min()
    }

    fn side_mut(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Egress => &mut self.ours,
            Direction::Ingress => &mut self.partner,
        }
    }

    /// When an end will have been silent for too long, and how long that is.
    fn silence_due(&self, direction: Direction) -> Option<(Mono, u64)> {
        let side = self.side(direction);
        if self.phase == Phase::LinkDown || side.silent_since().is_some() {
            return None;
        }
        let from = match side.current() {
            Some((at, _)) => at,
            // Where nothing has come yet, only the other end's LACPDUs show that they are seen here at all.
            None => self.since.max(self.side(direction.other()).first().filter(|_| self.worked)?),
        };
        let limit = side::limit(self.interval(direction)?);
        Some((from.plus(limit), limit))
    }

    fn both_good(&self) -> bool {
        self.ours.is_good() && self.partner.is_good()
    }

    /// Since when one of the ends says that it does not work, or is silent.
    fn trouble(&self) -> Option<Mono> {
        let sides = [&self.partner, &self.ours];
        sides.into_iter().flat_map(|side| [side.bad_since(), side.silent_since()]).flatten().min()
    }

    fn judge(&mut self, now: Mono, at: Mono, told: &mut Told) {
        if self.phase == Phase::LinkDown {
            return;
        }
        if self.both_good() {
            self.works(at, told);
        } else if let Some(since) = self.trouble() {
            self.fails(now, since, told);
        } else if matches!(self.phase, Phase::Failing { .. }) {
            // It is over before it was told, and one end has not been heard yet: as before.
            self.phase = Phase::Working;
        }
        self.judge_partner(now, told);
    }

    fn works(&mut self, at: Mono, told: &mut Told) {
        if std::mem::take(&mut self.told_down) {
            told.fired.push((at, Kind::LacpUp, "LACP works again: both ends collect and distribute".to_owned()));
        }
        self.phase = Phase::Working;
        self.worked = true;
        let actor = self.partner.current().map(|(_, pdu)| pdu.actor);
        self.known = self.known.or(actor.as_ref().map(Partner::of));
    }

    fn fails(&mut self, now: Mono, since: Mono, told: &mut Told) {
        let silent = self.partner.silent_since().or(self.ours.silent_since()).is_some();
        // A silence has lasted long enough already: a link that went down would be known.
        let tell = if silent { now } else { since.plus(SETTLE) };
        if matches!(self.phase, Phase::Working | Phase::Failing { .. }) {
            self.phase = Phase::Failing { tell };
        }
        let (due, at) = match self.phase {
            Phase::Failing { tell } => (tell, since),
            Phase::Converging { until } => (until, now),
            _ => return,
        };
        if now < due {
            return;
        }
        let text = match self.phase {
            Phase::Converging { .. } => format!("LACP does not work since the link came back: {}", self.why(now)),
            _ => format!("LACP no longer works: {}", self.why(now)),
        };
        self.phase = Phase::Failed;
        if !std::mem::replace(&mut self.told_down, true) {
            told.fired.push((at, Kind::LacpDown, text));
        }
    }

    /// Why it does not work, in words.
    fn why(&self, now: Mono) -> String {
        let mut why = Vec::new();
        for direction in [Direction::Ingress, Direction::Egress] {
            let side = self.side(direction);
            if side.silent_since().is_some() {
                let whose = if direction == Direction::Egress { "we sent no LACPDU" } else { "the partner sent no LACPDU" };
                let since = side.current().map_or(self.since, |(at, _)| at);
                why.push(format!("{whose} for {:.1} s", crate::time::seconds(now.since(since))));
            } else if let Some((_, pdu)) = side.current() {
                why.push(words::trouble(direction, pdu.actor.state));
            }
        }
        why.retain(|why| !why.is_empty());
        why.join("; ")
    }

    /// Takes note of who sends the partner's LACPDUs.
    fn answers(&mut self, at: Mono, actor: &PortInfo) {
        match self.known {
            Some(known) if known != Partner::of(actor) && actor.system != [0; 6] => self.another = self.another.or(Some(at)),
            _ => self.another = None,
        }
    }

    fn judge_partner(&mut self, now: Mono, told: &mut Told) {
        let (Some(since), Some(known)) = (self.another, self.known) else { return };
        let Some((_, pdu)) = self.partner.current() else { return };
        if now >= since.plus(PARTNER_SETTLE) {
            let text = format!("another partner answers: {}", words::differences(&known.0, &pdu.actor));
            told.fired.push((since, Kind::LacpPartner, text));
            self.known = Some(Partner::of(&pdu.actor));
            self.another = None;
        }
    }
}
