internal import ConfigFile
internal import Settings
internal import Testing

@Suite struct ProblemTests {
    @Test func `five different problems are reported together, with line and key`() {
        let text = """
            wrokers = 2
            [[listen]]
            address = "*:8080"
            [timeouts]
            idle = "sixty"
            [group.a]
            wsgi = "a"
            threads = "5"
            [routes]
            "/" = "b"
            """
        #expect(
            problems(text) == [
                "mooring.toml:1: wrokers: unknown key; did you mean workers?",
                "mooring.toml:3: listen.address: is \"*:8080\"; write 0.0.0.0 for every IPv4"
                    + " address of this machine, or [::] for IPv6",
                "mooring.toml:5: timeouts.idle: is \"sixty\"; needs a duration with its unit,"
                    + " like \"500ms\", \"30s\", \"15m\" or \"2h\"",
                "mooring.toml:8: group.a.threads: is \"5\"; needs a number from 1 to 100000",
                "mooring.toml:10: routes.\"/\": leads to the group \"b\", which is not there;"
                    + " did you mean \"a\"?",
            ])
    }

    @Test(arguments: [
        ("", "1: group: there is none; a whole file can be [group.app] and below it"),
        ("[group]", "1: group: there is none"),
        ("[group.a", "1:9: syntax: "),
        ("\n\na = \"x\n", "3:7: syntax: "),
        ("a = 1\na = 2", "2:5: syntax: "),
        ("a = 1\n[]\n", "2:2: syntax: has a table header without a name; write [name]"),
        ("a = \n[=]\n", "1:5: syntax: has no value where one is due; write a text in quotes"),
        ("a = 1\na = 2\nb = [\n}", "2:5: syntax: "),
        ("[[listen]]\naddress = 127.0.0.1:80\n", "2:23: syntax: holds a time of day or a text"),
        ("x = \"a\\u0000b\"", "1:7: syntax: holds a zero byte or its escape"),
        ("[group.a]\nwsgi = \"a\"\ncommand = [\"b\"]", "1: group.a: has wsgi and command; needs"),
        ("[group.a]\nthreads = 1", "1: group.a: does not say what it runs; needs exactly one of"),
        (
            "[group.a]\nwsgi = \"a\"\nasgi = \"a:b\"",
            "1: group.a: has wsgi and asgi; needs exactly one of wsgi, asgi, command and servers"
        ),
        (
            "[group.\"a b\"]\nwsgi = \"a\"",
            "1: group.\"a b\": has a name that is not allowed; needs 1 to 32 letters"
        ),
        (
            "[group.a]\nwsgi = \"a\"\n[group.b]\nwsgi = \"b\"",
            "1: routes: is missing, and there are 2 groups; say which paths lead where"
        ),
        ("[[listen]]\n" + someGroup, "1: listen: has no address; needs"),
        (
            "[[listen]]\naddress = \"[::1]:80\"\n[[listen]]\naddress = \"[0:0::1]:80\"\n"
                + someGroup,
            "4: listen.address: listens on [::1]:80 a second time; take one out"
        ),
        (
            "[[listen]]\naddress = \"127.0.0.1:9\"\n[admin]\naddress = \"localhost:9\"\n"
                + someGroup,
            "2: listen.address: is the address of the admin API; give one of the two another"
        ),
        (
            "[admin]\naddress = \"0.0.0.0:9000\"\n" + someGroup,
            "2: admin.address: is a port, where any program could stop processes; needs token_file"
        ),
        (
            "[admin]\naddress = \"127.0.0.1:9000\"\n" + someGroup,
            "2: admin.address: is a port, where any program could stop processes; needs token_file"
        ),
        (
            "[admin]\naddress = \"[::1]:9000\"\n" + someGroup,
            "2: admin.address: is a port, where any program could stop processes; needs token_file"
        ),
        (
            "[admin]\nread_token_file = \"read\"\n" + someGroup,
            "2: admin.read_token_file: keeps nobody from changing anything; needs token_file"
        ),
        (
            "[admin]\ntoken_file = \"t\"\nread_token_file = \"./t\"\n" + someGroup,
            "3: admin.read_token_file: is that of token_file, which opens everything; needs a file"
        ),
        (
            "[admin]\naddress = \"unix:admin.sock\"\n" + someGroup,
            "2: admin.address: is \"unix:admin.sock\"; needs a whole path"
        ),
        (
            "runtime_dir = \"/\(String(repeating: "r", count: 100))\"\n" + someGroup,
            "1: runtime_dir: has 101 bytes; at most 90"
        ),
        ("state_dir = \"~/x\"\n" + someGroup, "1: state_dir: begins with ~; write the whole path"),
        ("[log]\naccess = \"stdout\"\n" + someGroup, "2: log.access: is \"stdout\"; needs"),
        (
            "[log]\nlevel = \"warn\"\n" + someGroup,
            "2: log.level: is \"warn\"; needs one of \"trace\", \"debug\", \"info\", \"notice\","
                + " \"warning\", \"error\", \"critical\""
        ),
    ])
    func `a mistake is reported with its position and the remedy`(text: String, expected: String) {
        let found = problems(text)
        #expect(found.first?.hasPrefix("mooring.toml:\(expected)") == true, "\(found)")
        #expect(found.allSatisfy { $0.contains("; ") }, "\(found)")
    }

    @Test(arguments: [
        ("same_site = \"none\"", "affinity.same_site: is \"none\" without Secure"),
        ("partitioned = true", "affinity.partitioned: is true without Secure"),
        ("cookie = \"a b\"", "affinity.cookie: is \"a b\", which no cookie can be called"),
        ("cookie = \"__Host-m\"", "affinity.cookie: has a prefix that Mooring puts there"),
        ("learn = [\"mooring\"]", "affinity.learn: names Mooring's own cookie"),
        ("learn = [\"a;b\"]", "affinity.learn: holds \"a;b\", which no cookie can be called"),
        ("max_age = \"1500ms\"", "affinity.max_age: is no whole number of seconds"),
        ("max_age = \"0\"", "affinity.max_age: is \"0\"; needs \"1s\" to \"8784h\""),
        (
            "domain = \"exa mple.org\"",
            "affinity.domain: is \"exa mple.org\", which is no host name"
        ),
        ("domain = \"10.0.0.1\"", "affinity.domain: is \"10.0.0.1\", which is no host name"),
        ("domain = \"a..b\"", "affinity.domain: is \"a..b\", which is no host name"),
    ])
    func `a cookie that user agents would drop is refused`(key: String, expected: String) {
        let found = problems("[affinity]\n\(key)\n" + someGroup)
        #expect(found.count == 1 && found[0].hasPrefix("mooring.toml:2: \(expected)"), "\(found)")
    }

    @Test(arguments: [
        (
            "[\"./app\", \"{sokcet}\"]",
            "holds {sokcet}, which is no placeholder; did you mean {socket}?"
        ),
        ("[\"./app\", \"{xyz}\"]", "holds {xyz}, which is no placeholder; there are {socket}"),
        ("[\"./app\", \"{socket}\", \"{port}\"]", "has both {socket} and {port}"),
        ("[]", "is empty; needs program and arguments"),
        ("[\"\"]", "is empty; needs a text like \"./app\""),
        ("[\"./app\", 1]", "holds the number 1; needs texts, in quotes"),
        ("\"./app --x\"", "is \"./app --x\"; needs program and arguments"),
    ])
    func `a command that cannot be meant is refused`(words: String, expected: String) {
        let found = problems("[group.a]\ncommand = \(words)")
        #expect(
            found.count == 1 && found[0].hasPrefix("mooring.toml:2: group.a.command: \(expected)"),
            "\(found)")
    }

    @Test(arguments: [
        "processes = 1", "idle_timeout = \"1s\"", "start_timeout = \"1s\"", "stop_timeout = \"1s\"",
        "cwd = \"/x\"", "env = { A = \"b\" }", "pass_env = []", "server = \"auto\"",
        "python = \"python3\"",
    ])
    func `what only spawned processes have is refused for servers`(key: String) {
        let found = problems("[group.a]\nservers = [\"127.0.0.1:80\"]\n\(key)")
        #expect(found.count == 1 && found[0].contains(":3: group.a."), "\(found)")
        #expect(found.first?.contains(" means ") == true, "\(found)")
    }

    @Test(arguments: [
        "command = [\"./app\", \"{socket}\"]\nenv = { A = \"{port}\" }",
        "command = [\"./app\"]\nenv = { A = \"{port}\", B = \"unix:{socket}\" }",
    ])
    func `a process has one address, wherever it is named`(lines: String) {
        let found = problems("[group.a]\n\(lines)")
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix("take one out") == true, "\(found)")
    }

    @Test func `env never shows a value, and keeps to Mooring's own names`() {
        let text = """
            [group.a]
            wsgi = "a"
            env = { MOORING_X = "s3cret", PORT = "s3cret", NOTIFY_SOCKET = "s3cret" }
            [group.a.affinity]
            [group.b]
            wsgi = "b"
            env = { "1A" = "s3cret", "A-B" = "s3cret", A = 12345 }
            pass_env = ["MOORING_Y", ""]
            [routes]
            "/" = "a"
            """
        let found = problems(text)
        #expect(found.count == 8, "\(found)")
        #expect(!found.joined().contains("s3cret") && !found.joined().contains("12345"))
    }

    @Test(arguments: [
        ("\"/a\" = \"app\"\n\"/a/\" = \"app\"", ":5: routes.\"/a/\": is there twice"),
        ("\"a.org:80/\" = \"app\"", ":4: routes.\"a.org:80/\": has a port; leave it out"),
        ("\"/a\" = { strip_prefix = true }", ":4: routes.\"/a\": has no group; needs"),
        ("\"/a\" = 5", ":4: routes.\"/a\": is the number 5; needs a group's name"),
        (
            "\"/a\" = { group = \"app\", affinity = { idle = \"5m\" } }",
            ":4: routes.\"/a\".affinity.idle: is one for all routes of a group"
        ),
        (
            "\"/a\" = { group = \"app\", affinity = { keys = \"x\" } }",
            ":4: routes.\"/a\".affinity.keys: is one for all groups and routes"
        ),
        ("", ":3: routes: is empty; needs"),
    ])
    func `a route that cannot be meant is refused`(route: String, expected: String) {
        let found = problems(someGroup + "[routes]\n" + route)
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test func `a route to a group that is wrong in itself is no second problem`() {
        let found = problems("[group.a]\nwsgi = 5\n[routes]\n\"/\" = \"a\"")
        #expect(
            found == [
                "mooring.toml:2: group.a.wsgi: is the number 5; needs a text like \"mysite/wsgi.py\""
            ])
    }

    @Test func `an unknown key far from all tells the known ones`() {
        let found = problems("[limits]\nbandwidth = 1\n" + someGroup)
        #expect(
            found == [
                "mooring.toml:2: limits.bandwidth: unknown key; known here: buffer_memory,"
                    + " connections, min_rate, request_body, request_buffer, request_head, response_buffer,"
                    + " spawns_per_source"
            ])
    }

    @Test func `keys of later versions are unknown`() {
        let text = """
            [affinity]
            bind = "tls"
            [group.app]
            wsgi = "a"
            socket_activation = true
            """
        let found = problems(text)
        #expect(found.count == 2)
        #expect(found.allSatisfy { $0.contains(": unknown key; ") }, "\(found)")
    }
}
