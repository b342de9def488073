internal import Backends
internal import Glibc
internal import Logging
internal import Settings
internal import TestSupport
internal import Testing

@testable internal import Supervision

@Suite struct ProcessRecordTests {
    static let record = ProcessRecord(
        boot: BootIdentity(bootID: "5a3d-1", pidNamespace: 4_026_531_836),
        balancer: ProcessInstance(pid: 100, startTime: 5), runtimeDirectory: "/run/mooring",
        process: ProcessInstance(pid: 4711, startTime: 123_456), label: "k3f9abcd",
        incarnation: Incarnation(0x0123_4567_89AB_CDEF), group: "django admin", generation: 3,
        fingerprint: "sha256:00", address: .unix(path: "/run/mooring/k3f9abcd.sock"), user: 33,
        onExit: .adopt, stage: .ready, isLeft: true,
        sessions: RememberedSessions(
            confirmed: [SessionID(high: 1, low: 2), SessionID(high: .max, low: .max)],
            unconfirmed: [SessionID(high: 3, low: 4)]),
        hasSessions: true, isRetired: true, drainUntil: 77_000_000_000, retirement: retirement,
        outputFile: "/var/log/app.log")

    private static var retirement: RetirementPolicy {
        var policy = GroupPolicy(name: "")
        (policy.minimum, policy.maximum, policy.threads) = (1, 4, 15)
        policy.sessionsPerProcess = 7
        policy.drainTimeout = .seconds(90)
        return RetirementPolicy(policy)
    }

    @Test func `a record is read as it was written`() throws {
        #expect(try ProcessRecord(text: Self.record.text) == Self.record)
        var other = Self.record
        other.address = .tcp(host: "127.0.0.1", port: 8001)
        other.process = .none
        other.stage = .intended
        other.fingerprint = ""
        other.sessions = RememberedSessions()
        #expect(try ProcessRecord(text: other.text) == other)
        other.address = .unix(path: "/run/mooring/k3f9abcd.sock")
        other.port = 8001
        #expect(try ProcessRecord(text: other.text) == other)
    }

    @Test func `a record of long ago says nothing of what its process is kept by`() throws {
        let later = [
            "in_use", "retired", "drain_until", "output", "processes", "threads", "places",
            "idle", "unconfirmed_idle", "drain_timeout", "stop_timeout",
        ]
        let lines = Self.record.text.split(separator: "\n", omittingEmptySubsequences: false)
        let former = lines.filter { line in !later.contains { line.hasPrefix("\($0) ") } }
        #expect(lines.count == former.count + later.count)
        let record = try ProcessRecord(text: former.joined(separator: "\n"))
        #expect(record.retirement == nil && record.hasSessions == nil && record.drainUntil == nil)
        #expect(!record.isRetired && record.outputFile == nil)
        #expect(record.sessions == Self.record.sessions)
    }

    @Test func `a record cut anywhere is none`() {
        let text = Self.record.text
        for count in 0..<text.utf8.count {
            let cut = String(decoding: text.utf8.prefix(count), as: UTF8.self)
            #expect(throws: ProcessRecord.Flaw.self) { try ProcessRecord(text: cut) }
        }
    }

    @Test(arguments: [
        ("process 4711 ", "process -4711 "), ("process 4711 ", "process 1 "),
        ("process 4711 ", "process 0 "), ("process 4711 ", "process 99999999999 "),
        ("pid_namespace 4026531836", "pid_namespace +1"),
        ("label k3f9abcd", "label ../../et"), ("label k3f9abcd", "label k3f9"),
        ("incarnation 0123", "incarnation xyz3"), ("generation 3", "generation -3"),
        ("address unix /", "address unix "), ("address unix /", "address ftp "),
        ("k3f9abcd.sock", "k3f9abce.sock"), ("/run/mooring/k3f9abcd.sock", "/etc/passwd"),
        ("stage ready", "stage gone"), ("on_exit adopt", "on_exit perhaps"),
        ("session 0", "session z"), ("session 0", "session 00"),
        ("unconfirmed 0", "unconfirmed z"), ("left 1", "left 1\nleft 1"),
        ("left 1", "left 1\nmore 1"), ("left 1", "left 1\n"), ("group django", "group \u{7}"),
        ("mooring-process 1", "mooring-process 2"), ("user 33", "user 5000000000"),
        ("in_use 1", "in_use 2"), ("retired 1", "retired yes"),
        ("drain_until 77", "drain_until -77"), ("drain_until 77", "drain_until 9999999999977"),
        ("output /var", "output var"), ("processes 1 4", "processes 1"),
        ("processes 1 4", "processes 5 4"), ("processes 1 4", "processes 0 0"),
        ("processes 1 4", "processes 1 1000001"), ("processes 1 4", "processes -1 4"),
        ("threads 15", "threads 0"), ("threads 15", "threads 1000001"),
        ("places 7", "places 1000001"), ("\nidle 1800", "\nidle 999991800"),
        ("\nidle 1800000000000", "\nidle 0"), ("stop_timeout 10000000000\n", ""),
        ("drain_timeout 90", "drain_timeout 9999999990"), ("drain_timeout 90000000000\n", ""),
    ])
    func `a record with a doubtful line is none`(_ change: (from: String, to: String)) throws {
        let text = Self.record.text
        let range = try #require(text.firstRange(of: change.from))
        var changed = text
        changed.replaceSubrange(range, with: change.to)
        #expect(throws: ProcessRecord.Flaw.self) { try ProcessRecord(text: changed) }
    }

    @Test func `any bytes are read without a trap`() {
        var generator = SystemRandomNumberGenerator()
        let text = Array(Self.record.text.utf8)
        for _ in 0..<3000 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            }
            _ = try? ProcessRecord(text: String(decoding: bytes, as: UTF8.self))
        }
    }
}

@Suite struct StateDirectoryTests {
    let test = TemporaryFolder()
    let label = ProcessRecordTests.record.label

    private func directory() throws -> StateDirectory {
        try StateDirectory(preparing: "\(test.path)/state")
    }

    @Test func `a record is private, found by its label and removed`() throws {
        let directory = try directory()
        try directory.write(ProcessRecordTests.record)
        var status = stat()
        #expect(unsafe stat("\(directory.path)/\(label)", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(unsafe stat(directory.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        #expect(directory.labels() == [label])
        #expect(try directory.read(label) == ProcessRecordTests.record)
        try directory.remove(label)
        try directory.remove(label)
        #expect(directory.labels() == [])
    }

    @Test func `what an interrupted write left is removed`() throws {
        let directory = try directory()
        _ = test.file("state/processes/.\(label).new", "mooring-pro")
        #expect(directory.labels() == [])
        #expect(ProcFile.entries(directory.path).count == 2)
    }

    @Test func `a file that others may write is refused`() throws {
        let directory = try directory()
        try directory.write(ProcessRecordTests.record)
        unsafe chmod("\(directory.path)/\(label)", 0o666)
        #expect(throws: StateDirectory.Refusal(sentence: "others may write it")) {
            try directory.read(label)
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func `a file of another user is refused`() throws {
        let directory = try directory()
        try directory.write(ProcessRecordTests.record)
        unsafe chown("\(directory.path)/\(label)", 65_534, 65_534)
        #expect(throws: StateDirectory.Refusal(sentence: "it belongs to user 65534")) {
            try directory.read(label)
        }
    }

    @Test func `a link, a pipe or a huge file is refused`() throws {
        let directory = try directory()
        let other = test.file("other", ProcessRecordTests.record.text)
        let path = "\(directory.path)/\(label)"
        unsafe symlink(other, path)
        #expect(throws: StateDirectory.Refusal.self) { try directory.read(label) }
        unsafe unlink(path)
        unsafe mkfifo(path, 0o600)
        #expect(throws: StateDirectory.Refusal(sentence: "it is not a plain file")) {
            try directory.read(label)
        }
        unsafe unlink(path)
        unsafe truncate(test.file("state/processes/\(label)", ""), 1 << 30)
        #expect(throws: StateDirectory.Refusal.self) { try directory.read(label) }
    }

    @Test func `a record under another label's name is refused`() throws {
        let directory = try directory()
        _ = test.file("state/processes/abcdefgh", ProcessRecordTests.record.text)
        #expect(throws: StateDirectory.Refusal(sentence: "its label is another one")) {
            try directory.read("abcdefgh")
        }
    }

    @Test func `a directory that others may write is not used`() throws {
        let directory = try directory()
        unsafe chmod(directory.path, 0o777)
        #expect(throws: PrivateDirectory.Problem.self) { try self.directory() }
        #expect(throws: SupervisionError.self) {
            try Supervisor(
                runtimeDirectory: "\(test.path)/run", stateDirectory: "\(test.path)/state",
                launches: [], log: .init(label: "test") { _ in FactLogHandler(facts: FactLog()) },
                onSignal: { _ in })
        }
    }
}

@Suite struct ProcessIdentityTests {
    @Test func `this process is the one that it is, and no other start time's`() throws {
        let own = ProcessIdentity.ofThisProgram()
        let pidfd = try #require(ProcessIdentity.open(own))
        close(pidfd)
        let other = ProcessInstance(pid: own.pid, startTime: own.startTime + 1)
        #expect(ProcessIdentity.open(other) == nil)
        #expect(ProcessIdentity.exists(own) && !ProcessIdentity.exists(other))
        #expect(ProcessIdentity.user(of: own.pid) == getuid())
        #expect(ProcessIdentity.age(ofStart: own.startTime) < 86_400_000_000_000)
    }

    @Test func `process 0, 1 or a negative one does not exist`() {
        for pid: Int32 in [0, 1, -1, -5, .min] {
            let time = ProcessIdentity.startTime(of: pid) ?? 0
            #expect(ProcessIdentity.open(ProcessInstance(pid: pid, startTime: time)) == nil)
        }
    }
}
