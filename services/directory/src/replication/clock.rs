//! The clock of a replica, as `nsState` keeps it: the server's own structure, in the byte order of its machine. Its first two bytes
//! are the number of the replica.

/// Gives a clock the number of its replica; whether it had another.
pub fn renumber_clock(clock: &mut [u8], id: u16) -> bool {
    let Some(number) = clock.first_chunk_mut::<2>() else { return false };
    let differs = *number != id.to_ne_bytes();
    *number = id.to_ne_bytes();
    differs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_keeps_all_but_its_number() {
        let mut clock = [1_u16.to_ne_bytes().as_slice(), &[0, 0, 9, 9]].concat();
        assert!(!renumber_clock(&mut clock, 1));
        assert!(renumber_clock(&mut clock, 65535));
        assert_eq!(clock, [65535_u16.to_ne_bytes().as_slice(), &[0, 0, 9, 9]].concat());
        assert!(!renumber_clock(&mut [1], 2));
    }
}
