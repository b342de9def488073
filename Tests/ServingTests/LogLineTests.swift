internal import Backends
internal import FoundationEssentials
internal import Logging
internal import Settings
internal import Testing

@testable internal import Serving

@Suite struct LogLineTests {
    private func line(
        _ message: String, _ metadata: Logger.Metadata = [:], _ level: Logger.Level = .info
    ) -> LogLine {
        LogLine(
            time: Date(timeIntervalSince1970: 1_795_000_000.5), level: level, message: message,
            metadata: metadata)
    }

    @Test func `text has the time, the level, the message and sorted pairs`() {
        #expect(
            line("process is ready", ["pid": .number(7), "group": "app"]).text(.text)
                == "2026-11-18T11:06:40.500Z info process is ready group=app pid=7\n")
    }

    @Test(arguments: [LogFormat.text, .developer])
    func `what comes from outside cannot forge a line or steer a terminal`(_ format: LogFormat) {
        let bad = "a\n2026 critical \u{1B}[2J\u{9B}1m\u{2028}\u{202E}b"
        let text = line(bad, ["key": .string(bad)]).text(format)
        #expect(text.filter { $0 == "\n" }.count == 1)
        #expect(text.hasSuffix("\n"))
        #expect(!text.unicodeScalars.contains { [0x1B, 0x9B, 0x2028, 0x202E].contains($0.value) })
    }

    @Test(arguments: [
        ("plain", "plain"), ("", "\"\""), ("two words", "\"two words\""), ("a=b", "\"a=b\""),
        ("say \"hi\" \\", "\"say \\\"hi\\\" \\\\\""),
    ])
    func `a value is quoted where its end would not be seen`(_ value: String, _ shown: String) {
        #expect(line("m", ["k": .string(value)]).text(.text).hasSuffix(" m k=\(shown)\n"))
    }

    @Test func `numbers, spans and lists stay what they are in JSON`() throws {
        let text = line(
            "m",
            [
                "pid": .number(7), "after": .span(.milliseconds(210)), "digits": "0042",
                "names": .texts(["a", "b"]),
            ]
        ).text(.json)
        #expect(
            text == """
                {"after":0.21,"digits":"0042","level":"info","message":"m","names":["a","b"],\
                "pid":7,"time":"2026-11-18T11:06:40.500Z"}

                """)
    }

    @Test func `a developer sees the lines of a process as it wrote them`() {
        let facts: Logger.Metadata = ["group": "app", "process": "k3f9abcd", "stream": "stdout"]
        #expect(line("\tat line 3", facts).text(.developer) == "[app k3f9] \tat line 3\n")
        #expect(
            line("a start waits", ["group": "app", "reason": "min"], .warning).text(.developer)
                == "[mooring] warning: a start waits reason=min\n")
    }
}
