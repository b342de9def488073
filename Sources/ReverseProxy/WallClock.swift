internal import HTTPWire
internal import Reactor

/// The wall clock for the data path: seconds for tokens, formatted text for `Date` and the log.
///
/// Read at most once per turn and formatted at most once per second.
struct WallClock {
    /// Seconds of the Unix era.
    private(set) var seconds: UInt32 = 0
    private(set) var milliseconds = 0
    /// IMF-fixdate (RFC 9110 section 5.6.7), 29 bytes.
    private(set) var httpDate = InlineArray<29, UInt8>(repeating: 0x20)
    /// `2026-11-22T10:00:00`, 19 bytes.
    private(set) var timestamp = InlineArray<19, UInt8>(repeating: 0x20)
    /// By how many seconds the clock was set, forward or back, since `forgetJump`; less than two is
    /// normal for time daemons.
    private(set) var jump: Int64 = 0
    private var readAt = Int64.min
    /// The wall clock's offset from the monotonic one, in nanoseconds.
    private var lead: Int64?
    private var formatted: UInt32 = .max

    /// Reads the clock unless it was read in this turn.
    mutating func refresh(turn now: Int64) {
        if now == readAt { return }
        readAt = now
        take(wallNanoseconds: Clock.wall(), monotonic: now)
    }

    /// Sets a time of the Unix era, and detects a jump of the clock since the last.
    mutating func take(wallNanoseconds wall: Int64, monotonic: Int64) {
        let lead = wall &- monotonic
        let moved = lead &- (self.lead ?? lead)
        let seconds = (moved &+ (moved < 0 ? -500_000_000 : 500_000_000)) / 1_000_000_000
        if seconds >= 2 || seconds <= -2 { jump &+= seconds }
        self.lead = lead
        set(wallNanoseconds: wall)
    }

    /// The jump was logged.
    mutating func forgetJump() { jump = 0 }

    /// Sets a time of the Unix era.
    mutating func set(wallNanoseconds wall: Int64) {
        seconds = UInt32(clamping: wall / 1_000_000_000)
        milliseconds = Int(wall / 1_000_000 % 1000)
        if seconds != formatted {
            formatted = seconds
            format()
        }
    }

    private mutating func format() {
        let days = Int(seconds) / 86_400
        let time = Int(seconds) % 86_400
        let (year, month, day) = HTTPDate.civil(days)
        let names: StaticString = "ThuFriSatSunMonTueWed"
        let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

        copy(names, from: days % 7 * 3, to: 0)
        httpDate[3] = UInt8(ascii: ",")
        put(day, digits: 2, http: 5)
        copy(months, from: (month - 1) * 3, to: 8)
        put(year, digits: 4, http: 12)
        put(time / 3600, digits: 2, http: 17)
        httpDate[19] = UInt8(ascii: ":")
        put(time / 60 % 60, digits: 2, http: 20)
        httpDate[22] = UInt8(ascii: ":")
        put(time % 60, digits: 2, http: 23)
        httpDate[26] = UInt8(ascii: "G")
        httpDate[27] = UInt8(ascii: "M")
        httpDate[28] = UInt8(ascii: "T")

        put(year, digits: 4, log: 0)
        timestamp[4] = UInt8(ascii: "-")
        put(month, digits: 2, log: 5)
        timestamp[7] = UInt8(ascii: "-")
        put(day, digits: 2, log: 8)
        timestamp[10] = UInt8(ascii: "T")
        put(time / 3600, digits: 2, log: 11)
        timestamp[13] = UInt8(ascii: ":")
        put(time / 60 % 60, digits: 2, log: 14)
        timestamp[16] = UInt8(ascii: ":")
        put(time % 60, digits: 2, log: 17)
    }

    private mutating func copy(_ text: StaticString, from: Int, to: Int) {
        for offset in 0..<3 { httpDate[to + offset] = unsafe text.utf8Start[from + offset] }
    }

    private mutating func put(_ value: Int, digits: Int, http entry: Int) {
        var rest = value
        for offset in stride(from: digits - 1, through: 0, by: -1) {
            httpDate[entry + offset] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }

    private mutating func put(_ value: Int, digits: Int, log entry: Int) {
        var rest = value
        for offset in stride(from: digits - 1, through: 0, by: -1) {
            timestamp[entry + offset] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }
}
