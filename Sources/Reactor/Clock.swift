internal import CLinux

/// The two clocks; besides the loop's own turn, only this code reads them.
package enum Clock {
    /// CLOCK_MONOTONIC in nanoseconds.
    package static func monotonic() -> Int64 { mooring_monotonic_ns() }
    /// CLOCK_REALTIME in nanoseconds since the Unix era; may jump.
    package static func wall() -> Int64 { mooring_wall_ns() }
}
