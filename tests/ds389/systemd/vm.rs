//! A machine that is emulated, with systemd as its first process and SELinux in its kernel, whose disk `tests/run systemd` makes.
//! What is written to the disk is gone with the machine.

use std::{path::PathBuf, process::Command, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use tests::{process::Process, target_dir};

/// How long anything may take there, where a processor is ten times as slow as here.
const LIMIT: Duration = Duration::from_secs(300);

/// The commands are run by `guest`, which is all that the disk has from here. What it says of itself comes as lines on the
/// standard output of the emulator.
pub(super) struct Vm {
    emulator: Process,
    folder: tempfile::TempDir,
}

impl Vm {
    /// Starts it, and puts `aviary-ds389` where commands are looked for.
    pub(super) fn start() -> Self {
        let disk = std::env::var_os("DS389_VM").map(PathBuf::from).expect("DS389_VM is the folder that tests/run systemd makes");
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().join("programs");
        let packed = Command::new("tar")
            .arg("-cf")
            .arg(&programs)
            .arg("-C")
            .arg(target_dir().join("release"))
            .arg("aviary-ds389")
            .status();
        assert!(packed.unwrap().success(), "the programs are built");
        let mut command = Command::new("qemu-system-x86_64");
        // One processor: the emulator confuses several when Linux changes its own code.
        command.args(["-accel", "tcg", "-cpu", "max", "-m", "2G", "-nic", "none"]);
        command.args(["-display", "none", "-monitor", "none", "-snapshot", "-device", "virtio-serial"]);
        command.args(["-chardev", "stdio,id=tests,signal=off", "-device", "virtserialport,chardev=tests,name=tests"]);
        command.arg("-serial").arg(format!("file:{}", folder.path().join("console").display()));
        command.arg("-kernel").arg(disk.join("vmlinuz")).arg("-initrd").arg(disk.join("initrd"));
        command.args(["-append", "root=/dev/vda rw console=ttyS0 security=selinux"]);
        for drive in [disk.join("disk"), programs] {
            command.arg("-drive").arg(format!("file={},format=raw,if=virtio", drive.display()));
        }
        let mut vm = Self { emulator: Process::start(command, Duration::ZERO), folder };
        vm.wait_until_ready();
        vm.does("tar -xf /dev/vdb -C /usr/local/bin");
        vm
    }

    /// Starts it again, and waits until all that starts with it has started.
    pub(super) fn restart(&mut self) {
        self.ask("systemctl reboot");
        self.wait_until_ready();
    }

    fn wait_until_ready(&self) {
        self.line("start of the machine", |line| (line == "ready").then_some(()));
    }

    /// What a script says that succeeds, without the space around it.
    pub(super) fn does(&mut self, script: &str) -> String {
        let (status, said) = self.run(script);
        assert_eq!(status, "0", "{script}\n{said}");
        said
    }

    /// What a script says that fails.
    pub(super) fn fails(&mut self, script: &str) -> String {
        let (status, said) = self.run(script);
        assert_ne!(status, "0", "{script}\n{said}");
        said
    }

    /// The status of a script, and what it says.
    fn run(&mut self, script: &str) -> (String, String) {
        self.ask(script);
        let answer = self.line("answer", |line| {
            let (status, said) = line.split_once(' ')?;
            Some((status.to_owned(), String::from_utf8(STANDARD.decode(said).ok()?).ok()?))
        });
        (answer.0, answer.1.trim().to_owned())
    }

    fn ask(&mut self, script: &str) {
        self.emulator.tell(&STANDARD.encode(script));
    }

    fn line<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        self.emulator.try_wait_for(what, LIMIT, find).unwrap_or_else(|problem| {
            let console = std::fs::read(self.folder.path().join("console")).unwrap_or_default();
            let console = String::from_utf8_lossy(&console[console.len().saturating_sub(4000)..]).into_owned();
            panic!("{problem}; output:\n{}\nconsole:\n{console}", self.emulator.output())
        })
    }
}
