//! Projects do not see each other, even with the same addresses.

use super::lab;
use anyhow::ensure;

testkit::isolated_tests! {
    fn projects_with_the_same_range_are_apart() {
        let lab = lab()?;
        let red_net = lab.network("red", "net", "10.0.0.0/24")?;
        let blue_net = lab.network("blue", "net", "10.0.0.0/24")?;
        let red = lab.instance("red-1", &red_net, &["--fixed-ip", "10.0.0.11"])?;
        let red_2 = lab.instance("red-2", &red_net, &["--fixed-ip", "10.0.0.12"])?;
        let blue = lab.instance("blue-1", &blue_net, &["--fixed-ip", "10.0.0.11"])?;
        let blue_2 = lab.instance("blue-2", &blue_net, &["--fixed-ip", "10.0.0.13"])?;
        for (from, to, serving) in [(&red_2, &red, "red-1"), (&blue_2, &blue, "blue-1")] {
            to.serve(8080)?;
            from.reaches(&to.address)?;
            let said = from.asks(&to.address, 8080)?;
            ensure!(said.as_deref() == Some(serving), "{} got {said:?} instead of {serving}", from.name);
        }
        red.loses(&blue_2.address)?;
        blue.loses(&red_2.address)?;
        ensure!(red.asks(&blue_2.address, 8080)?.is_none(), "TCP from red to blue");
        Ok(())
    }

    fn networks_of_one_project_are_apart_too() {
        let lab = lab()?;
        let one = lab.instance("one", &lab.network("p", "one", "10.0.0.0/24")?, &["--fixed-ip", "10.0.0.11"])?;
        let network = lab.network("p", "two", "10.0.0.0/24")?;
        let two = lab.instance("two", &network, &["--fixed-ip", "10.0.0.12"])?;
        let three = lab.instance("three", &network, &["--fixed-ip", "10.0.0.13"])?;
        two.reaches(&three.address)?;
        one.loses(&two.address)
    }
}
