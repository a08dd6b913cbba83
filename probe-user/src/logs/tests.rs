//! Files that are written to, rotated, truncated and taken away while they are followed.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use super::*;

struct Bench {
    _dir: tempfile::TempDir,
    path: PathBuf,
    follower: Follower,
    reporter: Reporter,
    news: mpsc::Receiver<News>,
}

impl Bench {
    /// Follows a file that holds this, or none.
    fn new(before: Option<&str>) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("messages");
        if let Some(before) = before {
            fs::write(&path, before).expect("written");
        }
        let (sender, news) = mpsc::channel(100);
        let own = Pattern::parse("mark=MARK", true).expect("a pattern");
        let patterns = Patterns::new(&[own]).expect("patterns");
        let reporter = Reporter { patterns, sender, counters: Arc::new(Counters::default()) };
        Self { _dir: dir, follower: Follower::start(path.clone()), path, reporter, news }
    }

    /// Looks once; the lines that matched, and alarms.
    fn poll(&mut self) -> Vec<String> {
        self.follower.poll(&mut self.reporter);
        let mut found = Vec::new();
        while let Ok(news) = self.news.try_recv() {
            found.push(match news {
                News::Line { line, .. } => line,
                News::Alarm(text) => text,
            });
        }
        found
    }
}

fn append(path: &Path, text: &[u8]) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).expect("opened");
    file.write_all(text).expect("written");
}

#[test]
fn what_is_written_from_now_on_is_read_line_by_line() {
    let mut bench = Bench::new(Some("MARK before\n"));
    assert_eq!(bench.poll(), Vec::<String>::new());
    append(&bench.path, b"MARK one\nnothing\nMARK tw");
    assert_eq!(bench.poll(), ["MARK one"]);
    append(&bench.path, b"o\n\xffMARK three\n");
    assert_eq!(bench.poll(), ["MARK two", "\u{fffd}MARK three"]);
}

#[test]
fn a_rotated_file_is_read_to_its_end_and_the_new_one_from_its_start() {
    let mut bench = Bench::new(Some(""));
    append(&bench.path, b"MARK 1\n");
    let rotated = bench.path.with_extension("1");
    fs::rename(&bench.path, &rotated).expect("renamed");
    append(&rotated, b"MARK 2\n");
    append(&bench.path, b"MARK 3\n");
    assert_eq!(bench.poll(), ["MARK 1", "MARK 2", "MARK 3"]);
    // The writer still has the old one open.
    append(&rotated, b"MARK 4\n");
    append(&bench.path, b"MARK 5\n");
    assert_eq!(bench.poll(), ["MARK 4", "MARK 5"]);
}

#[test]
fn a_truncated_file_is_read_from_its_start() {
    let mut bench = Bench::new(Some("a long line that was there before\n"));
    append(&bench.path, b"half a line");
    assert_eq!(bench.poll(), Vec::<String>::new());
    fs::copy(&bench.path, bench.path.with_extension("1")).expect("copied");
    OpenOptions::new().write(true).truncate(true).open(&bench.path).expect("truncated");
    append(&bench.path, b"MARK new\n");
    assert_eq!(bench.poll(), ["MARK new"]);
}

#[test]
fn a_file_that_is_taken_away_is_told_and_found_again() {
    let mut bench = Bench::new(Some(""));
    assert_eq!(bench.poll(), Vec::<String>::new());
    fs::remove_file(&bench.path).expect("removed");
    // A rotation takes a moment too: that is no news yet.
    assert_eq!(bench.poll(), Vec::<String>::new());
    std::thread::sleep(Duration::from_millis(2100));
    let told = bench.poll();
    assert!(told.len() == 1 && told[0].contains("messages cannot be followed: No such file"), "{told:?}");
    assert_eq!(bench.poll(), Vec::<String>::new());
    append(&bench.path, b"MARK back\n");
    let back = bench.poll();
    assert_eq!(back[0], "MARK back");
    assert!(back[1].contains("is there again"), "{back:?}");
}

#[test]
fn a_file_that_comes_later_is_read_from_its_start() {
    let mut bench = Bench::new(None);
    assert_eq!(bench.poll(), Vec::<String>::new());
    append(&bench.path, b"MARK first\n");
    assert_eq!(bench.poll(), ["MARK first"]);
}

#[test]
fn what_is_no_file_is_told_and_holds_up_nothing() {
    let mut bench = Bench::new(None);
    fs::create_dir(&bench.path).expect("a directory");
    assert_eq!(bench.poll(), Vec::<String>::new());
    std::thread::sleep(Duration::from_millis(2100));
    let told = bench.poll();
    assert!(told[0].contains("not a file"), "{told:?}");
}

#[test]
fn a_file_that_grew_by_much_is_read_near_its_end_and_the_rest_counted() {
    let mut bench = Bench::new(Some(""));
    let file = OpenOptions::new().write(true).open(&bench.path).expect("opened");
    file.set_len(1 << 30).expect("a sparse file");
    append(&bench.path, b"\nMARK end\n");
    let found: Vec<String> = (0..3).flat_map(|_| bench.poll()).collect();
    assert_eq!(found, ["MARK end"]);
    assert!(bench.reporter.counters.skipped.load(Ordering::Relaxed) > 1 << 29);
    assert!(bench.reporter.counters.cut.load(Ordering::Relaxed) >= 1);
}

#[test]
fn a_flood_of_news_is_counted_and_does_not_wait() {
    let mut bench = Bench::new(Some(""));
    append(&bench.path, &b"MARK\n".repeat(1000));
    assert_eq!(bench.poll().len(), 100);
    assert_eq!(bench.reporter.counters.lost.load(Ordering::Relaxed), 900);
}
