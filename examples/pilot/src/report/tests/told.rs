//! Rules, policies on trial and plans, in words.

use gaelp::core::RuleId;

use super::sample::{Shape, cents, planning, summary};
use super::{excerpt, page};
use crate::report::words;
use crate::summary::Candidate;

#[test]
fn every_rule_has_words() {
    for rule in &gaelp::guardrails::rules::ALL {
        let words = words::rule(rule.as_str());
        assert!(!words.meaning.is_empty(), "{rule}");
        assert_ne!(words.title, rule.as_str());
    }
    assert_eq!(words::rule("a_new_rule").title, "a_new_rule");
}

#[test]
fn a_policy_on_trial_and_observed_rules_are_told() {
    let mut tried = summary(Shape::default());
    assert!(!page(&tried).contains("A policy on trial"));
    assert!(!page(&tried).contains("Only observed"));
    tried.guardrails.observed = vec![(RuleId::new("freeze_cpa"), 1_234)];
    tried.candidate = Some(Candidate {
        policy: "5f2c<b>0011223344".to_owned(),
        decisions: 2_688,
        more: 12,
        less: 2_000,
        allowed: cents(8),
        would_allow: cents(4),
        objections: vec![(RuleId::new("hourly_ceiling"), 0, 2_441)],
    });
    let html = page(&tried);
    assert!(html.contains("5f2c&#60;b&#62;0011"), "cut and escaped");
    assert!(html.contains("less in 2,000 and more in 12"));
    assert!(html.contains("<code>hourly_ceiling</code>"));
    assert!(html.contains("2,441"));
    assert!(html.contains("<code>freeze_cpa</code> objected 1,234 times"));
}

#[test]
fn a_plan_is_told_with_its_proof_and_in_words() {
    let mut paced = summary(Shape::default());
    assert!(!page(&paced).contains("id=\"plan\""));
    paced.plan = Some(planning(&paced));
    let html = page(&paced).replace("&#39;", "'");
    assert!(html.contains("<a href=\"#plan\">Plan</a>"));
    assert!(html.contains("1,300 of 1,344 steps had a plan; 40 had none, because minimums"));
    assert!(html.contains(
        "The last step, 2026-10-31 23:00, might spend 0.44\u{a0}USD, its part of what is left of the \
         day's target"
    ));
    assert!(html.contains("λ was 0.250: a dollar spent counted as 1.25 dollars."));
    assert!(html.contains("because the next dollar would bring less than it counts for."));
    assert!(html.contains("the duality gap is 2.5e-13 of the value"));
    assert!(
        html.contains("<td>−0.31</td><td>0.10\u{a0}USD</td><td>0.09\u{a0}USD to 0.10\u{a0}USD")
    );
    assert!(html.contains("its first dollar would bring less than others' next"));
    assert!(html.contains("It rises after hours above the target"));
    // Least, mean and most λ of a day, beside its target and what its hours were allowed.
    let date = &paced.days[0].date;
    let row = excerpt(
        &html,
        &format!("<tr><th scope=\"row\">{date}</th><td>10.00</td><td>9.80"),
    );
    assert!(
        row.contains("<td>0.100</td><td>0.200</td><td>0.400</td></tr>"),
        "{row}"
    );

    let plan = paced.plan.as_mut().unwrap();
    plan.last.proof = None;
    plan.last.why_not = Some("the minimums of 4 ad sets <add up>".to_owned());
    let html = page(&paced);
    assert!(
        html.contains("each ad set went by itself: the minimums of 4 ad sets &#60;add up&#62;.")
    );
}
