//! What Tether answered: any text. The words stay that no person or company is called by, the others are hashed.

use super::{Kind, Redactor};
use std::collections::HashSet;
use std::sync::LazyLock;

/// The words of errors, Tether's and ours about them. Words that are also common names (will, may, mark, bill, …) are left out.
const WORDS: &str = "
a about above accept accepted access account account's action actions active address addresses after again against all
allow allowed already also an and another answered any api are argument array as asks at attribute authorization
authorized auto_renew bad be because been before began beginning belongs below between beyond blank body boolean both but by
bytes call calls can cannot carried change changed character characters code column company company_name
connection contain contains content could count create created creating creation currency current customer customer's
customers cut data date deadline decimal delete deleted denied deprecated detail did different digits disabled do does
domain due duplicate during e-mail each earlier either email email's emails empty enable enabled endpoint error errors
event exceed exceeded exceeds exist existing exists expected expired external external_id failed failure feature field
fields first for forbidden format found from gate given greater had has have header health health_score http i id ids if in
including information input integer internal invalid is isn't it its json keep key known last last_activity least length
less like limit limited limits long longer lost made make malformed many match matches maximum merge merged message method
minimum minute minutes missing monthly more most mrr must name names negative neither no none nor not nothing null number
object of off on once one only open operation or order other out over page parameter passed path payload per
period_end permission permitted plan please positive present previous problem process processed product product's products
provide provided quota rate reached read reason received record refused reject rejected remaining renew reply request
requested requests require required resource response retry run same schema second seconds see send sent server service
session set settings should shown shows size so some start state status string subscription subscription_status successful
such support supported take taken temporarily temporary text than that the their them then there these they this time
timeout times timestamp to token too took tried tries try twice type unable unauthorized unavailable under unexpected unique
unknown unprocessable until unsupported up update updated use used user using valid validation value values version via wait
was way were what when where whether which while with without would write wrong yet you your zero";

static PLAIN: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.split_ascii_whitespace().collect());

/// Whether `word`, without the marks around it, says nothing about anybody. `begins`: it is a sentence's first.
fn is_plain(word: &str, begins: bool) -> bool {
    let is_number = word.len() <= 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    is_number
        || word == "HTTP"
        || (word.contains('_') && is_code(word))
        || PLAIN.contains(word)
        || (begins && PLAIN.contains(word.to_ascii_lowercase().as_str()))
}

fn is_code(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

impl Redactor {
    /// What a reply said, or why there was none.
    pub fn reply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        // Where the words begin that are to be hashed together, and where they end.
        let mut hidden: Option<(usize, usize)> = None;
        let (mut written, mut at, mut begins) = (0, 0, true);
        for (number, piece) in text.split_inclusive(char::is_whitespace).enumerate() {
            let word = piece.trim();
            let marks = |c: char| !c.is_alphanumeric();
            let start = at + piece.len() - piece.trim_start_matches(marks).len();
            let bare = word.trim_matches(marks);
            at += piece.len();
            if bare.is_empty() {
                continue;
            }
            // The code of a reply stands behind its status.
            let is_code = number == 2 && text.starts_with("HTTP ") && word.ends_with(':') && is_code(bare);
            if is_code || is_plain(bare, begins) {
                self.flush(text, &mut out, &mut written, hidden.take());
            } else {
                hidden = Some((hidden.map_or(start, |(from, _)| from), start + bare.len()));
            }
            begins = word.ends_with([':', '.']);
        }
        self.flush(text, &mut out, &mut written, hidden);
        out.push_str(&text[written..]);
        out
    }

    fn flush(&self, text: &str, out: &mut String, written: &mut usize, hidden: Option<(usize, usize)>) {
        let Some((from, to)) = hidden else { return };
        out.push_str(&text[*written..from]);
        out.push_str(&self.value(Kind::Text, &text[from..to]));
        *written = to;
    }
}
