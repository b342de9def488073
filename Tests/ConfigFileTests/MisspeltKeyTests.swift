internal import ConfigFile
internal import Settings
internal import Testing

@Suite struct MisspeltKeyTests {
    @Test(arguments: [
        ("[group.app]\nwsig = \"a\"", "2: group.app.wsig: unknown key; did you mean wsgi?"),
        ("[group.app]\ncmd = [\"a\"]", "2: group.app.cmd: unknown key; did you mean command?"),
        ("[grup.app]\nwsgi = \"a\"", "1: grup: unknown key; did you mean group?"),
        (
            "[grup.app]\nwsgi = \"a\"\n[routes]\n\"/\" = \"app\"",
            "1: grup: unknown key; did you mean group?"
        ),
        (
            "[[listen]]\nadress = \"[::1]:80\"\n" + someGroup,
            "2: listen.adress: unknown key; did you mean address?"
        ),
        (
            "[[listen]]\naddress = \"[::1]:80\"\n[[listen.tls]]\ncert = \"a\"\nkey = \"b\"\n"
                + someGroup, "4: listen.tls.cert: unknown key; did you mean certificate?"
        ),
        (
            "[[listen]]\naddress = \"[::1]:80\"\nclient_ca = \"a\"\n[[listen.tsl]]\n" + someGroup,
            "4: listen.tsl: unknown key; did you mean tls?"
        ),
        (
            someGroup + "processes = { min = 1, mx = 3 }",
            "3: group.app.processes.mx: unknown key; did you mean max?"
        ),
        (
            "[admin]\naddress = \"[::1]:80\"\ntokenfile = \"t\"\n" + someGroup,
            "3: admin.tokenfile: unknown key; did you mean token_file?"
        ),
        (
            someGroup + "[routes]\n\"/\" = { gruop = \"app\" }",
            "4: routes.\"/\".gruop: unknown key; did you mean group?"
        ),
        (
            someGroup + "health = { paht = \"/\" }",
            "3: group.app.health.paht: unknown key; did you mean path?"
        ),
        (
            someGroup + "environment = {}",
            "3: group.app.environment: unknown key; did you mean env?"
        ),
        ("wsgi = \"app.py\"", "1: wsgi: stands outside of a group; write [group.app] above it"),
        ("[app]\nwsgi = \"app.py\"", "1: app: is no section; did you mean [group.app]?"),
        (
            someGroup + "group = \"www\"\nusr = \"www\"",
            "4: group.app.usr: unknown key; did you mean user?"
        ),
        (
            "[affinity]\nsame_site = \"none\"\nsecur = \"always\"\n" + someGroup,
            "3: affinity.secur: unknown key; did you mean secure?"
        ),
    ])
    func `a misspelt key is one problem`(text: String, expected: String) {
        #expect(problems(text) == ["mooring.toml:\(expected)"])
    }

    @Test func `a key that is only missing is reported`() {
        let found = problems("[group.app]\nthreads = 1\nfoo = 2")
        #expect(found.count == 2, "\(found)")
        #expect(found[0].contains(":1: group.app: does not say what it runs"), "\(found)")
    }

    @Test func `an unknown key names the key that it stands for`() throws {
        guard case .failure(let found) = result(of: someGroup + "cdw = \"/x\"") else {
            return #expect(Bool(false), "it is taken")
        }
        #expect(found.problems.map(\.meant) == ["group.app.cwd"])
    }

    @Test func `a column counts characters`() {
        let found = problems("a = \"äöü\" 1\n")
        #expect(found.first?.hasPrefix("mooring.toml:1:11: syntax: ") == true, "\(found)")
    }

    @Test func `what is wrong leaves the rest to be looked at`() throws {
        let text = """
            [timeouts]
            idle = "soon"
            [group.a]
            wsgi = "a.py"
            thredas = 1
            [group.b]
            wsgi = 5
            [routes]
            "/" = "a"
            "/b" = "b"
            """
        let reading = ConfigurationReader.examine(
            text: text, file: "mooring.toml", folder: "/srv/app", environment: ["HOME": "/h"],
            isRoot: false)
        #expect(reading.problems.map(\.line) == [2, 5, 7])
        let configuration = try #require(reading.configuration)
        // Also what is known of a group whose program is not.
        #expect(configuration.groups.map(\.name) == ["a", "b"])
        #expect(configuration.locations.problem(["group", "a", "wsgi"], "x").line == 4)
        #expect(configuration.locations.problem(["group", "a", "python"], "x").line == 3)
    }

    @Test(arguments: [(131_071, 0), (131_072, 1)])
    func `a variable has 128 KiB with its name at most`(bytes: Int, count: Int) {
        let value = String(repeating: "x", count: bytes - "BIG=".utf8.count)
        let found = problems(someGroup + "env = { BIG = \"\(value)\" }")
        #expect(found.count == count, "\(found.map { $0.prefix(100) })")
    }
}
