internal import Backends
internal import Settings
internal import Testing

@testable internal import ConfigFile

@Suite struct MeasureTests {
    @Test(arguments: [
        ("0", 0), ("500ms", 500), ("30s", 30_000), ("15m", 900_000), ("2h", 7_200_000),
        ("0s", 0), ("007s", 7000),
    ])
    func `a duration is a number and its unit`(text: String, milliseconds: Int64) {
        #expect(DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: ["", "5", "s", "-5s", "+5s", "1.5s", "5 s", "5S", "5d", "1h30m", "٣s", "5us"])
    func `what is no duration is not guessed at`(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(arguments: ["99999999999h", "9223372036854775807ms", "99999999999999999999s"])
    func `an endless duration is out of every range`(text: String) throws {
        #expect(try #require(DurationText.parse(text)) > DurationText.longest)
    }

    @Test(arguments: [("0", 0), ("1KiB", 1024), ("3MiB", 3 << 20), ("2GiB", 2 << 30)])
    func `a size is a number and its unit`(text: String, bytes: Int) {
        #expect(SizeText.parse(text) == bytes)
        #expect(SizeText.text(of: bytes) == text)
    }

    @Test(arguments: ["", "5", "-1KiB", "1KB", "1kib", "1.5MiB", "1 KiB", "MiB"])
    func `what is no size is not guessed at`(text: String) {
        #expect(SizeText.parse(text) == nil)
    }

    @Test(arguments: ["9223372036854775807KiB", "99999999999999999999GiB"])
    func `an endless size is out of every range`(text: String) {
        #expect(SizeText.parse(text) == .max)
    }
}
