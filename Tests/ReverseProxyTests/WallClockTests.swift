internal import Foundation
internal import Testing

@testable internal import ReverseProxy

@Suite struct WallClockTests {
    @Test func `the date is in the form that HTTP wants and agrees with Foundation`() {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        for seconds: UInt32 in [0, 951_782_400, 1_709_164_800, 1_795_000_000, 4_102_444_799] {
            var clock = WallClock()
            clock.set(wallNanoseconds: Int64(seconds) * 1_000_000_000 + 7_000_000)
            let date = Date(timeIntervalSince1970: TimeInterval(seconds))
            formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
            #expect(text(clock.httpDate.span) == formatter.string(from: date))
            formatter.dateFormat = "yyyy-MM-dd'T'HH:mm:ss"
            #expect(text(clock.timestamp.span) == formatter.string(from: date))
            #expect(clock.milliseconds == 7)
        }
    }

    @Test func `a clock that is set is noticed, one that runs a little fast or slow is not`() {
        let second: Int64 = 1_000_000_000
        var clock = WallClock()
        clock.take(wallNanoseconds: 1_800_000_000 * second, monotonic: 5)
        clock.take(wallNanoseconds: 1_800_003_601 * second, monotonic: 5 + 3600 * second)
        #expect(clock.jump == 0)
        clock.take(wallNanoseconds: 1_799_917_201 * second, monotonic: 5 + 3600 * second)
        #expect(clock.jump == -86_400)
        clock.forgetJump()
        clock.take(wallNanoseconds: 1_799_917_202 * second, monotonic: 5 + 3601 * second)
        #expect(clock.jump == 0)
    }

    private func text(_ bytes: Span<UInt8>) -> String {
        String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    }
}
