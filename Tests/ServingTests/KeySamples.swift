internal import ConfigFile

/// A file with a key at its default, and the same with another value.
struct KeySample {
    let before: String
    let after: String
    var isRoot = false

    /// Lines that are added to a text.
    init(_ before: String, adding lines: String, _ rest: String = "") {
        self.init(before + rest, before + lines + "\n" + rest)
    }

    init(_ before: String, _ after: String, isRoot: Bool = false) {
        self.before = before
        self.after = after
        self.isRoot = isRoot
    }

    /// Nil: the key has a reader of its own, and `KeySamples` nothing for it.
    init?(_ row: ConfigurationTable.Row, of table: String) {
        if let sample = KeySamples.files[table]?[row.name] {
            self = sample
            return
        }
        guard let (before, rest) = KeySamples.contexts[table],
            let value = KeySamples.values[table]?[row.name] ?? Self.otherValue(row)
        else { return nil }
        self.init(before, adding: "\(row.name) = \(value)", rest)
    }

    /// Of a plain key by its row: another number, size, duration, flag or word than the default.
    private static func otherValue(_ row: ConfigurationTable.Row) -> String? {
        let standard = row.standard.replacing("`", with: "")
        let values: [String]
        if let number = row.type.wholeMatch(of: #/number, (\d+) to (\d+)/#) {
            values = [String((Int(number.output.1) ?? 0) + 1), String(number.output.2)]
        } else if let range = row.type.firstMatch(of: #/(?:size|duration), (\w+) to (\w+)/#) {
            values = [range.output.1, range.output.2].map { "\"\($0)\"" }
        } else if row.type == "`true` or `false`" {
            values = ["true", "false"]
        } else {
            values = row.type.matches(of: #/`("\w+")`/#).map { String($0.output.1) }
        }
        return values.first { $0 != standard }
    }
}

/// What a sample cannot be made of by its row: where keys stand, and values of those with a reader of
/// their own.
enum KeySamples {
    private static let app = "[group.app]\ncommand = [\"./app\"]\n"
    private static let wsgi = "[group.app]\nwsgi = \"app.wsgi\"\n"
    private static let asgi = "[group.app]\nasgi = \"app:app\"\n"
    private static let servers = "[group.app]\nservers = [\"10.0.0.7:80\"]\n"
    private static let secure = "[group.app]\nservers = [{ address = \"https://10.0.0.7:443\""
    private static let listener = "[[listen]]\naddress = \"127.0.0.1:81\"\n"
    private static let certificate = "certificate = \"CERTIFICATE\"\nkey = \"KEY\"\n"
    private static let tls = listener + "[[listen.tls]]\n" + certificate
    private static let fastCGI =
        "[group.app]\nservers = [\"10.0.0.7:80\"]\nprotocol = \"fastcgi\"\n"
    private static let routed = app + "[group.b]\ncommand = [\"./b\"]\n"

    /// By the tables of the reference: what stands above a key, and below.
    static let contexts: [String: (before: String, rest: String)] = [
        "Above all tables": ("", app), "[[listen]]": (listener, app),
        "[timeouts]": ("[timeouts]\n", app), "[limits]": ("[limits]\n", app),
        "[log]": ("[log]\n", app), "[dns]": ("[dns]\n", app), "[admin]": ("[admin]\n", app),
        "[affinity]": ("[affinity]\nsecure = \"always\"\n", app), "[group.NAME]": (app, ""),
        "fastcgi = { … }": (fastCGI + "[group.app.fastcgi]\n", ""),
        "health = { … }": (servers + "[group.app.health]\npath = \"/h\"\n", ""),
        "[routes]": (routed + "[routes.\"/a\"]\ngroup = \"app\"\n", ""),
    ]

    static let values: [String: [String: String]] = [
        "Above all tables": [
            "state_dir": "\"/s\"", "runtime_dir": "\"/r\"", "spawn_concurrency": "1000",
        ],
        "[[listen]]": [
            "trusted_proxies": "[\"10.0.0.0/8\"]", "headers": "{ X-A = \"b\" }",
            "redirect": "\"https\"",
        ],
        "[log]": ["access": "\"off\"", "access_format": "\"combined\""],
        "[dns]": ["servers": "[\"10.0.0.2\"]", "max_ttl": "\"7s\""],
        "[admin]": ["address": "\"unix:/run/other.sock\"", "token_file": "\"no.token\""],
        "[affinity]": [
            "learn": "[\"sid\"]", "cookie": "\"ship\"", "keys": "\"other.keys\"",
            "max_age": "\"7s\"", "domain": "\"example.org\"",
        ],
        "[group.NAME]": [
            "processes": "{ min = 1, max = 2 }", "output": "\"app.log\"",
            "timeouts": "{ tunnel = \"7s\" }", "errors": "{ 503 = \"no.html\" }",
            "health": "{ path = \"/h\" }", "cwd": "\"/srv\"", "env": "{ A = \"b\" }",
            "pass_env": "[\"USER\"]", "user": "\"nobody\"", "umask": "\"077\"",
            "rlimits": "{ nofile = 77 }", "affinity": "{ pin = \"never\" }",
            "host_header": "\"app.internal\"",
        ],
        "fastcgi = { … }": [
            "root": "\"/srv/www\"", "index": "\"start.php\"", "script": "\"/srv/app.php\"",
            "env": "{ A = \"b\" }",
        ],
        "health = { … }": ["host": "\"a.org\"", "status": "\"200-299,404\""],
        "[routes]": [
            "affinity": "{ pin = \"never\" }", "timeouts": "{ idle = \"7s\" }",
            "headers": "{ X-A = \"b\" }", "errors": "{ 503 = \"no.html\" }",
        ],
    ]

    /// Keys that need more than a line.
    static let files: [String: [String: KeySample]] = [
        "[[listen]]": [
            "address": KeySample(listener + app, listener.replacing("81", with: "82") + app),
            "client_ca": KeySample(
                tls + app,
                listener + "client_ca = \"ca.pem\"\n[[listen.tls]]\n" + certificate + app),
            "tls": KeySample(listener + app, tls + app),
        ],
        "[[listen.tls]]": [
            "certificate": KeySample(
                tls + app, tls.replacing("CERTIFICATE", with: "no.pem") + app),
            "key": KeySample(tls + app, tls.replacing("KEY", with: "no.key") + app),
        ],
        "[admin]": [
            "read_token_file": KeySample(
                "[admin]\ntoken_file = \"TOKEN\"\n", adding: "read_token_file = \"no.token\"", app)
        ],
        "[affinity]": [
            "secure": KeySample("[affinity]\n", adding: "secure = \"never\"", app),
            "carrier": KeySample("[affinity]\n", adding: "carrier = \"header:X-Sid\"", app),
            "by": KeySample("[affinity]\n", adding: "by = \"header:X-User\"", app),
        ],
        "[group.NAME]": [
            "wsgi": KeySample(wsgi, wsgi.replacing("app.wsgi", with: "other.wsgi")),
            "asgi": KeySample(asgi, asgi.replacing("app:app", with: "other:app")),
            "server": KeySample(wsgi, adding: "server = \"waitress\""),
            "python": KeySample(wsgi, adding: "python = \"python3.11\""),
            "command": KeySample(app, app.replacing("./app", with: "./other")),
            "slow_start": KeySample(servers, adding: "slow_start = \"7s\""),
            "servers": KeySample(servers, servers.replacing("0.7", with: "0.8")),
            "fastcgi": KeySample(fastCGI, adding: "fastcgi = { root = \"/srv/www\" }"),
            "group": KeySample(app + "user = \"nobody\"\n", adding: "group = \"0\""),
            "groups": KeySample(app + "user = \"nobody\"\n", adding: "groups = [\"77\"]"),
            "allow_root": KeySample(app, app + "allow_root = true\n", isRoot: true),
        ],
        "servers = [{ … }]": [
            "address": KeySample(servers, servers.replacing("0.7", with: "0.8")),
            "weight": KeySample(secure + " }]\n", secure + ", weight = 2 }]\n"),
            "threads": KeySample(secure + " }]\n", secure + ", threads = 2 }]\n"),
            "name": KeySample(secure + " }]\n", secure + ", name = \"a\" }]\n"),
            "ca": KeySample(secure + " }]\n", secure + ", ca = \"no.pem\" }]\n"),
            "verify": KeySample(
                secure + ", ca = \"no.pem\" }]\n",
                secure + ", ca = \"no.pem\", verify = false }]\n"),
            "server_name": KeySample(
                secure + " }]\n", secure + ", server_name = \"a.org\" }]\n"),
        ],
        "health = { … }": [
            "path": KeySample(servers, adding: "health = { path = \"/h\" }")
        ],
        "[routes]": [
            "group": KeySample(
                routed + "[routes]\n\"/a\" = \"app\"\n", routed + "[routes]\n\"/a\" = \"b\"\n"),
            "files": KeySample(
                routed + "[routes.\"/a\"]\ngroup = \"app\"\n",
                routed + "[routes.\"/a\"]\nfiles = \"/\"\n"),
            "compress": KeySample(
                routed + "[routes.\"/a\"]\nfiles = \"/\"\n", adding: "compress = true"),
        ],
    ]
}
