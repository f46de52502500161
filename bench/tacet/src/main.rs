//! An outside judge of what `bench/serve.py timing --raw FILE` has measured: `judge FILE [THRESHOLD_NS]`.
//!
//! Each pair of classes, each step: tacet's posterior probability that the times differ by more than the threshold.

use std::collections::HashMap;
use tacet::{AttackerModel, Outcome, TimingOracle};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let threshold_ns: f64 = arguments.get(2).map_or(2000.0, |text| text.parse().expect("a number"));
    let text = std::fs::read_to_string(&arguments[1]).expect("a file of samples");
    let mut samples: HashMap<(String, &str), Vec<f64>> = HashMap::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let name = words.next().expect("a name").to_string();
        let times: Vec<f64> = words.map(|word| word.parse().expect("nanoseconds")).collect();
        let is_throttled = name.starts_with("the");
        if !is_throttled && times[1] == 0.0 {
            continue; // it met four of its name whose failures were not committed yet
        }
        samples.entry((name.clone(), "answer")).or_default().push(times[0]);
        if !is_throttled {
            samples.entry((name, "alert")).or_default().push(times[1]);
        }
    }
    let mut pairs = vec![("thea", "theo", "answer")];
    for step in ["answer", "alert"] {
        for (a, b) in [("bench0", "nobody"), ("bench0", "dora"), ("nobody", "dora")] {
            pairs.push((a, b, step));
        }
    }
    for (a, b, step) in pairs {
        let of = |name: &str| &samples[&(name.to_string(), step)];
        let outcome = TimingOracle::for_attacker(AttackerModel::Custom { threshold_ns }).analyze_raw_samples(of(a), of(b));
        let verdict = match outcome {
            Outcome::Pass { leak_probability, effect, .. } => format!("pass, P(leak) {leak_probability:.4}, {:.0} ns", effect.max_effect_ns),
            Outcome::Fail { leak_probability, effect, .. } => format!("FAIL, P(leak) {leak_probability:.4}, {:.0} ns", effect.max_effect_ns),
            Outcome::Inconclusive { leak_probability, effect, .. } => format!("inconclusive, P(leak) {leak_probability:.4}, {:.0} ns", effect.max_effect_ns),
            other => format!("{other:?}"),
        };
        println!("{a:7} {b:7} to {step:6} n={} {}: {verdict}", of(a).len(), of(b).len());
    }
}
