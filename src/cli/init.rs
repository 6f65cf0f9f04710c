//! The arguments of `config init`.

use crate::app::config_init::Wanted;
use clap::Args;
use std::path::PathBuf;

/// `config init`
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// The folder of your exports; folders in it are looked into as well [default: this one]
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Write the configuration here, `-` for standard output [default: as `--config`]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace a configuration that is there
    #[arg(long)]
    pub force: bool,
    /// Ask nothing: take what was recognised
    #[arg(long, short)]
    pub yes: bool,
}

impl From<InitArgs> for Wanted {
    fn from(args: InitArgs) -> Self {
        Self { folder: args.folder, output: args.output, force: args.force }
    }
}
