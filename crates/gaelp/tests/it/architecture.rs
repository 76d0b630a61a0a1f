//! The invariants of `docs/ARCHITECTURE.md`, mostly about what is absent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Where a package stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A library without I/O; it may use floors below its own.
    Floor(u8),
    /// A library that does I/O; nothing of ours but programs may use it.
    Companion,
    /// A library without I/O that plays the outside world; only programs and tests may use it.
    Simulator,
    /// An unpublished program.
    Program,
}

const PLAN: &[(&str, Place)] = &[
    ("gaelp-core", Place::Floor(0)),
    ("gaelp-attribution", Place::Floor(1)),
    ("gaelp-bandits", Place::Floor(1)),
    ("gaelp-budget", Place::Floor(1)),
    ("gaelp-guardrails", Place::Floor(1)),
    ("gaelp-platform", Place::Floor(1)),
    ("gaelp-ledger", Place::Floor(2)),
    ("gaelp-rollout", Place::Floor(3)),
    ("gaelp", Place::Floor(4)),
    ("gaelp-sim", Place::Simulator),
    ("gaelp-exports", Place::Companion),
    ("gaelp-store", Place::Companion),
    ("gaelp-market", Place::Program),
    ("gaelp-pilot", Place::Program),
    ("gaelp-soak", Place::Program),
    ("gaelp-benches", Place::Program),
];

/// Runtimes, databases, network stacks and sources of randomness or time.
const ABSENT: &[&str] = &[
    "async-std",
    "axum",
    "diesel",
    "fastrand",
    "fred",
    "getrandom",
    "hyper",
    "iana-time-zone",
    "isahc",
    "libsqlite3-sys",
    "mio",
    "native-tls",
    "openssl",
    "postgres",
    "quinn",
    "redis",
    "reqwest",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "surf",
    "tokio",
    "tokio-postgres",
    "ureq",
];

/// The only sources that may be asynchronous: the traits that stand for I/O with their reference
/// implementations, and the one function that drives them.
const ASYNC: &[&str] = &[
    "gaelp-ledger/src/contract.rs",
    "gaelp-ledger/src/ledger.rs",
    "gaelp-ledger/src/memory.rs",
    "gaelp-ledger/src/store.rs",
    "gaelp-platform/src/",
    "gaelp-rollout/src/drive.rs",
    "gaelp-rollout/src/journal.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap()
}

fn place(name: &str) -> Option<Place> {
    PLAN.iter()
        .find(|(known, _)| *known == name)
        .map(|(_, place)| *place)
}

/// Our own packages that a package uses, other than in tests.
fn uses(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let used = |package: &cargo_metadata::Package| {
        package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .filter(|dependency| place(&dependency.name).is_some())
            .map(|dependency| dependency.name.clone())
            .collect()
    };
    metadata
        .packages
        .iter()
        .map(|package| (package.name.to_string(), used(package)))
        .collect()
}

#[test]
fn every_package_has_its_place() {
    let found: BTreeSet<String> = uses(&metadata()).into_keys().collect();
    let planned: BTreeSet<String> = PLAN.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found, planned);
}

#[test]
fn packages_use_only_what_lies_below_them() {
    for (name, used) in uses(&metadata()) {
        for other in used {
            let allowed = match (place(&name).unwrap(), place(&other).unwrap()) {
                (Place::Floor(1), Place::Floor(floor)) => floor == 0,
                (Place::Floor(mine), Place::Floor(floor)) => floor < mine,
                (Place::Companion | Place::Simulator, Place::Floor(floor)) => floor < 4,
                (Place::Program, other) => other != Place::Program,
                (Place::Floor(_) | Place::Companion | Place::Simulator, _) => false,
            };
            assert!(allowed, "{name} uses {other}");
        }
    }
}

#[test]
fn the_floors_hold_no_runtime_no_database_no_network_and_no_source_of_chance() {
    // The tree of the facade alone: other packages' features do not count here.
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            "gaelp",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .args(["--format", "{p}|{f}", "--target", "all", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).unwrap();
    let mut seen = 0;
    for line in tree.lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        let features = line.rsplit('|').next().unwrap_or_default();
        seen += usize::from(name == "gaelp-core" || name == "chrono");
        assert!(!ABSENT.contains(&name), "the floors hold {line}");
        let reads_clock =
            name == "chrono" && features.split(',').any(|f| f == "clock" || f == "now");
        assert!(!reads_clock, "chrono can read the clock: {line}");
    }
    assert!(seen >= 2, "the tree is not the facade's:\n{tree}");
}

#[test]
fn only_io_is_asynchronous() {
    let mut asynchronous = BTreeSet::new();
    for (name, _) in PLAN
        .iter()
        .filter(|(_, place)| matches!(place, Place::Floor(_)))
    {
        for file in sources(&root().join("crates").join(name).join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            if text.contains("async fn")
                || text.contains("async_trait")
                || text.contains("async move")
            {
                let relative = file.strip_prefix(root().join("crates")).unwrap();
                asynchronous.insert(relative.to_string_lossy().into_owned());
            }
        }
    }
    for file in &asynchronous {
        assert!(
            ASYNC.iter().any(|allowed| file.starts_with(allowed)),
            "{file} is asynchronous"
        );
    }
    assert!(
        asynchronous.contains("gaelp-rollout/src/drive.rs"),
        "{asynchronous:?}"
    );
}

#[test]
fn the_floors_touch_no_file_socket_clock_thread_or_environment() {
    let forbidden = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "Instant::now",
        "SystemTime",
        "Utc::now",
        "Local::now",
        "println!",
        "eprintln!",
        "thread_rng",
    ];
    let mut read = 0;
    for (name, _) in PLAN
        .iter()
        .filter(|(_, place)| matches!(place, Place::Floor(_) | Place::Simulator))
    {
        for file in sources(&root().join("crates").join(name).join("src")) {
            if file
                .components()
                .any(|part| part.as_os_str() == "tests.rs" || part.as_os_str() == "tests")
            {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            read += 1;
            for line in code {
                for word in forbidden {
                    assert!(
                        !line.contains(word),
                        "{} holds {word}: {line}",
                        file.display()
                    );
                }
            }
        }
    }
    assert!(read > 30, "only {read} files were read");
}

#[test]
fn crate_roots_hold_no_logic() {
    for (name, place) in PLAN {
        if *place == Place::Program {
            continue;
        }
        let text =
            std::fs::read_to_string(root().join("crates").join(name).join("src/lib.rs")).unwrap();
        assert!(
            text.lines().count() <= 120,
            "{name}/src/lib.rs is longer than 120 lines"
        );
        let logic = text
            .lines()
            .any(|line| line.contains("fn ") && !line.starts_with("//"));
        assert!(!logic, "{name}/src/lib.rs has a function");
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
