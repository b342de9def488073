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
}

/// Another value for each key of the configuration, by the tables of the reference.
enum KeySamples {
    private static let app = "[group.app]\ncommand = [\"./app\"]\n"
    private static let wsgi = "[group.app]\nwsgi = \"app.wsgi\"\n"
    private static let servers = "[group.app]\nservers = [\"10.0.0.7:80\"]\n"
    private static let secure = "[group.app]\nservers = [{ address = \"https://10.0.0.7:443\""
    private static let listener = "[[listen]]\naddress = \"127.0.0.1:81\"\n"
    private static let tls =
        listener + "[[listen.tls]]\ncertificate = \"CERTIFICATE\"\nkey = \"KEY\"\n"
    private static let route = app + "[group.b]\ncommand = [\"./b\"]\n"

    static let all: [String: [String: KeySample]] = [
        "Above all tables": lines(
            "", app,
            [
                "state_dir": "\"/s\"", "runtime_dir": "\"/r\"", "workers": "3",
                "spawn_concurrency": "3", "max_processes": "7",
            ]),
        "[[listen]]": lines(
            listener, app,
            [
                "http2": "false", "proxy_protocol": "true", "trusted_proxies": "[\"10.0.0.0/8\"]",
                "redirect": "\"https\"", "headers": "{ X-A = \"b\" }", "request_id": "false",
                "traceparent": "false",
            ]
        ).merging([
            "address": KeySample(listener + app, listener.replacing("81", with: "82") + app),
            "client_ca": KeySample(
                tls + app,
                tls.replacing("[[listen.tls]]", with: "client_ca = \"ca.pem\"\n[[listen.tls]]")
                    + app),
            "tls": KeySample(listener + app, tls + app),
        ]) { first, _ in first },
        "[[listen.tls]]": [
            "certificate": KeySample(
                tls + app, tls.replacing("CERTIFICATE", with: "no.pem") + app),
            "key": KeySample(tls + app, tls.replacing("KEY", with: "no.key") + app),
        ],
        "[timeouts]": lines(
            "[timeouts]\n", app,
            [
                "header": "\"7s\"", "body_idle": "\"7s\"", "keepalive": "\"7s\"",
                "connect": "\"7s\"", "response": "\"7s\"", "idle": "\"7s\"", "tunnel": "\"7s\"",
                "drain": "\"7s\"",
            ]),
        "[limits]": lines(
            "[limits]\n", app,
            [
                "request_head": "\"7KiB\"", "request_body": "\"7KiB\"",
                "request_buffer": "\"7KiB\"", "response_buffer": "\"7KiB\"",
                "spawns_per_source": "7", "connections": "7", "min_rate": "7",
                "buffer_memory": "\"7MiB\"",
            ]),
        "[log]": lines(
            "[log]\n", app,
            [
                "level": "\"debug\"", "format": "\"json\"", "access": "\"off\"",
                "access_format": "\"combined\"",
            ]),
        "[admin]": lines(
            "[admin]\n", app,
            [
                "address": "\"unix:/run/other.sock\"", "token_file": "\"no.token\"",
                "metrics_open": "true",
            ]
        ).merging([
            "read_token_file": KeySample(
                "[admin]\ntoken_file = \"TOKEN\"\n", adding: "read_token_file = \"no.token\"", app)
        ]) { first, _ in first },
        "[affinity]": lines(
            "[affinity]\nsecure = \"always\"\n", app,
            [
                "pin": "\"never\"", "learn": "[\"sid\"]", "cookie": "\"ship\"",
                "keys": "\"other.keys\"", "unconfirmed": "\"7s\"", "idle": "\"7s\"",
                "max_age": "\"7s\"", "on_lost": "\"refuse\"", "same_site": "\"none\"",
                "http_only": "false", "partitioned": "true", "domain": "\"example.org\"",
                "forward_cookie": "true",
            ]
        ).merging([
            "secure": KeySample("[affinity]\n", adding: "secure = \"never\"", app)
        ]) { first, _ in first },
        "[group.NAME]": group,
        "servers = [{ … }]": [
            "address": KeySample(servers, servers.replacing("0.7", with: "0.8")),
            "weight": KeySample(secure + " }]\n", secure + ", weight = 2 }]\n"),
            "ca": KeySample(secure + " }]\n", secure + ", ca = \"no.pem\" }]\n"),
            "verify": KeySample(
                secure + ", ca = \"no.pem\" }]\n", secure + ", ca = \"no.pem\", verify = false }]\n"
            ),
            "server_name": KeySample(secure + " }]\n", secure + ", server_name = \"a.org\" }]\n"),
        ],
        "health = { … }": lines(
            servers + "[group.app.health]\npath = \"/h\"\n", "",
            ["interval": "\"7s\"", "timeout": "\"7s\"", "rise": "7", "fall": "7"]
        ).merging([
            "path": KeySample(servers, adding: "health = { path = \"/h\" }")
        ]) { first, _ in first },
        "[routes]": lines(
            route + "[routes.\"/a\"]\ngroup = \"app\"\n", "",
            [
                "strip_prefix": "true", "affinity": "{ pin = \"never\" }",
                "timeouts": "{ idle = \"7s\" }", "headers": "{ X-A = \"b\" }",
                "errors": "{ 503 = \"no.html\" }",
            ]
        ).merging([
            "group": KeySample(
                route + "[routes]\n\"/a\" = \"app\"\n", route + "[routes]\n\"/a\" = \"b\"\n")
        ]) { first, _ in first },
    ]

    private static let group = lines(
        app, "",
        [
            "processes": "{ min = 1, max = 2 }", "threads": "7", "sessions_per_process": "7",
            "placement": "\"pack\"", "queue": "7", "process_queue": "7", "queue_timeout": "\"7s\"",
            "idle_timeout": "\"7s\"", "start_timeout": "\"7s\"", "stop_timeout": "\"7s\"",
            "drain_timeout": "\"7s\"", "draining_max": "7", "tunnel_slots": "true",
            "output": "\"app.log\"", "timeouts": "{ tunnel = \"7s\" }",
            "errors": "{ 503 = \"no.html\" }", "health": "{ path = \"/h\" }", "max_requests": "7",
            "max_age": "\"7s\"", "max_memory": "\"7MiB\"", "request_timeout": "\"7s\"",
            "retries": "7", "cwd": "\"/srv\"", "env": "{ A = \"b\" }", "pass_env": "[\"USER\"]",
            "user": "\"nobody\"", "umask": "\"077\"", "rlimits": "{ nofile = 77 }",
            "on_exit": "\"kill\"", "keepalive": "false", "affinity": "{ pin = \"never\" }",
        ]
    ).merging([
        "wsgi": KeySample(wsgi, wsgi.replacing("app.wsgi", with: "other.wsgi")),
        "server": KeySample(wsgi, adding: "server = \"waitress\""),
        "python": KeySample(wsgi, adding: "python = \"python3.11\""),
        "command": KeySample(app, app.replacing("./app", with: "./other")),
        "servers": KeySample(servers, servers.replacing("0.7", with: "0.8")),
        "group": KeySample(app + "user = \"nobody\"\n", adding: "group = \"0\""),
        "groups": KeySample(app + "user = \"nobody\"\n", adding: "groups = [\"77\"]"),
        "allow_root": KeySample(app, app + "allow_root = true\n", isRoot: true),
    ]) { first, _ in first }

    /// The keys of a table by their other values.
    private static func lines(
        _ before: String, _ rest: String, _ values: [String: String]
    ) -> [String: KeySample] {
        values.reduce(into: [:]) { samples, entry in
            samples[entry.key] = KeySample(
                before, adding: "\(entry.key) = \(entry.value)", rest)
        }
    }
}
