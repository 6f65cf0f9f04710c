//! What the pages of `--help` show: commands that can be typed.

/// The main page.
pub(super) const EXAMPLES: &str = "\
Examples:
  tether-recon config check                     is the configuration right, are the files there
  tether-recon plan --as-of 2026-11-01          what would a run at month-end do
  tether-recon run                              plan, guard, send, report
  tether-recon run --allow max_created          this once, create more than the guard allows
  tether-recon run --limit 5                    a small first night: the five largest, the rest later
  tether-recon run --only cus_Nf3kdWq0x         this customer alone
  tether-recon apply latest --approve HASH      send the plan that was approved, exactly
  tether-recon resume                           finish what was interrupted
  tether-recon explain cus_Nf3kdWq0x            everything about this customer, over all kept runs
  tether-recon report latest                    write the newest run's or plan's report again
  tether-recon verify latest                    prove it from its files alone, before you sign it
  tether-recon sandbox --product core=CORE_KEY  a local Tether to rehearse against
";

/// `apply`
pub(super) const APPLY_EXAMPLES: &str = "\
Examples:
  tether-recon apply 20261101T060000Z-9f3c --approve HASH --approved-by 'Ada Lovelace'    HASH as the plan printed it
  tether-recon apply latest --approve HASH --max-age 12h                                  only what is fresh
";

/// `explain`
pub(super) const EXPLAIN_EXAMPLES: &str = "\
Examples:
  tether-recon explain cus_Nf3kdWq0x --as-of 2026-11-01    as a plan of that day sees it
  tether-recon explain sub_1OHvqSUYUExGg9xO                the customer of this subscription
  tether-recon explain billing@example.com                 all of its Stripe customers, rounded together
  tether-recon explain hubspot:51109163640                 the contact, and what it was linked to
  tether-recon explain NW-10405 --json                     for a program
";

/// `report`
pub(super) const REPORT_EXAMPLES: &str = "\
Examples:
  tether-recon report latest                                 all of it, in its own place
  tether-recon report latest --format md --output /tmp/md    summary.md alone, elsewhere
  tether-recon report copies/20261101T060000Z-9f3c           of a folder that was copied
";

/// `verify`
pub(super) const VERIFY_EXAMPLES: &str = "\
Examples:
  tether-recon verify latest                          the newest run, before it is signed
  tether-recon verify copies/20261101T060000Z-9f3c    an auditor's copy; no configuration is needed
  tether-recon verify latest --json                   for a program
";
