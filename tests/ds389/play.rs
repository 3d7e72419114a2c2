use crate::machine::Machine;
#[tokio::test]
#[ignore]
async fn play() {
    let machine = Machine::new();
    std::fs::write("/tmp/play.prefix", machine.prefix.path()).unwrap();
    loop {
        if let Ok(text) = std::fs::read_to_string("/tmp/play.yaml") {
            std::fs::remove_file("/tmp/play.yaml").unwrap();
            if text.trim() == "quit" {
                return;
            }
            let actions = machine.plan(&text).await;
            match actions {
                Err(problems) => println!("{problems}"),
                Ok(actions) => {
                    let done = machine
                        .host
                        .carry_out(&actions, &mut |event| {
                            println!(
                                "{:?}",
                                std::format_args!(
                                    "{}",
                                    match event {
                                        agent::host::Event::Done(a) => format!("done {:?}", a.messages()),
                                        agent::host::Event::Says(_, t) => t.to_owned(),
                                        agent::host::Event::Begins(a) => format!("begin {:?}", a.messages()),
                                    }
                                )
                            )
                        })
                        .await;
                    println!("{done:?}");
                    println!("again: {:?}", machine.plan(&text).await);
                }
            }
            println!("===");
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
