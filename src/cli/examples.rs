//! The examples of every `--help`. Each line is parsed by a test: the command line, two blanks or a `>`, what it is for.

pub(super) const EXAMPLES: &str = "\
Examples:
  tether-recon config init exports              look at a folder of exports, write a configuration
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
  tether-recon runs list                        what is kept, and what it came to
  tether-recon sandbox --product core=CORE_KEY  a local Tether to rehearse against
";

pub(super) const APPLY_EXAMPLES: &str = "\
Examples:
  tether-recon apply 20261101T060000Z-9f3c --approve HASH --approved-by ada@example.com    HASH as the plan printed it
  tether-recon apply latest --approve HASH --max-age 12h                                  only what is fresh
";

pub(super) const EXPLAIN_EXAMPLES: &str = "\
Examples:
  tether-recon explain cus_Nf3kdWq0x --as-of 2026-11-01    as a plan of that day sees it
  tether-recon explain sub_1OHvqSUYUExGg9xO                the customer of this subscription
  tether-recon explain billing@example.com                 all of its Stripe customers, rounded together
  tether-recon explain hubspot:51109163640                 the contact, and what it was linked to
  tether-recon explain NW-10405 --json                     for a program
";

pub(super) const REPORT_EXAMPLES: &str = "\
Examples:
  tether-recon report latest                                 all of it, in its own place
  tether-recon report latest --format md --output /tmp/md    summary.md alone, elsewhere
  tether-recon report copies/20261101T060000Z-9f3c           of a folder that was copied
  tether-recon report latest --redact --output for-others    a copy without names and addresses, to hand out
";

pub(super) const VERIFY_EXAMPLES: &str = "\
Examples:
  tether-recon verify latest                          the newest run, before it is signed
  tether-recon verify copies/20261101T060000Z-9f3c    an auditor's copy; no configuration is needed
  tether-recon verify latest --json                   for a program
";

pub(super) const RUNS_EXAMPLES: &str = "\
Examples:
  tether-recon runs list                          what is kept
  tether-recon runs list --json                   for a program
  tether-recon runs prune --keep 90d --dry-run    what would go
  tether-recon runs prune --keep 90d              remove it
";

pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  tether-recon run                                           tonight's
  tether-recon run --log-format json                         for a log collector
  tether-recon run --as-of 2026-11-01                        month-end, on a later day
  tether-recon run --redact                                  hashes instead of names in the report and the log
  tether-recon run --allow max_created --allow max_changed_percent    this once, past two guards
";

pub(super) const PLAN_EXAMPLES: &str = "\
Examples:
  tether-recon plan                                          what would a run do now
  tether-recon plan --as-of 2026-11-01                       and at month-end
  tether-recon plan --detailed-exitcode                      ends with 10 if there is something to send
  tether-recon plan --limit 5 --allow max_created            a small first night, to be approved and applied
";

pub(super) const RESUME_EXAMPLES: &str = "\
Examples:
  tether-recon resume        finish what was interrupted; with nothing to finish, nothing happens
  tether-recon resume -v     and show every retry
";

pub(super) const SANDBOX_EXAMPLES: &str = "\
Examples:
  tether-recon sandbox --product core=CORE_KEY,creation=on    one product whose key stands in $CORE_KEY
  tether-recon sandbox --listen 127.0.0.1:0 --log calls.jsonl    a free port, and a log of what was asked
  tether-recon sandbox --state tether.jsonl --seed core=core.jsonl    begin with an export, keep what comes of it
  tether-recon sandbox --state tether.jsonl --export core=out.jsonl    write what it holds, and end
";

pub(super) const NOTIFY_EXAMPLES: &str = "\
Examples:
  tether-recon notify test                        do notices arrive
  tether-recon notify test --config books.toml    of another configuration
";

pub(super) const INIT_EXAMPLES: &str = "\
Examples:
  tether-recon config init                             of this folder, with a few questions
  tether-recon config init exports --yes               of another one, without
  tether-recon config init exports --output books.toml    under another name
  tether-recon config init exports --output -          only show it
";

pub(super) const CONFIG_EXAMPLES: &str = "\
Examples:
  tether-recon config check                        every problem at once, or what a run would do
  tether-recon config check --config books.toml    of another file
";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  tether-recon completions bash > /etc/bash_completion.d/tether-recon
  tether-recon completions zsh > ~/.zfunc/_tether-recon
  tether-recon completions fish > ~/.config/fish/completions/tether-recon.fish
";

pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  tether-recon man > /usr/local/share/man/man1/tether-recon.1
  tether-recon man runs prune > /usr/local/share/man/man1/tether-recon-runs-prune.1
";

pub(super) const SCHEMA_EXAMPLES: &str = "\
Examples:
  tether-recon config schema > tether-recon.schema.json
";

pub(super) const BASELINE_EXAMPLES: &str = "\
Examples:
  tether-recon baseline rebuild --dry-run             what the kept runs know, beside the present baseline
  tether-recon baseline rebuild                       make it again
  tether-recon baseline rebuild --allow-incomplete    also where old runs were pruned
";
