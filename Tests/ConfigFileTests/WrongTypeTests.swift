internal import ConfigFile
internal import Settings
internal import Testing

/// Every key with every kind of wrong value: a problem with its line and key, and never a trap.
@Suite struct WrongTypeTests {
    enum Form: CaseIterable {
        case integer, text, boolean, list, table
    }

    static let keys: [(section: String, key: String, forms: Set<Form>)] =
        ["state_dir", "runtime_dir"].map { ("", $0, [.text]) }
        + [("", "workers", [.integer])]
        + ["timeouts", "limits", "log", "admin", "affinity"].map { ("", $0, [.table]) }
        + [("", "listen", [.list]), ("[[listen]]", "address", [.text])]
        + ["header", "body_idle", "keepalive", "connect", "response", "idle", "drain"]
        .map { ("[timeouts]", $0, [.text]) }
        + [
            ("[limits]", "request_head", [.text]), ("[limits]", "request_body", [.text]),
            ("[limits]", "connections", [.integer]), ("[limits]", "buffer_memory", [.text]),
        ]
        + ["level", "format", "access", "access_format"].map { ("[log]", $0, [.text]) }
        + ["address", "token_file", "read_token_file"].map { ("[admin]", $0, [.text]) }
        + [("[admin]", "metrics_open", [.boolean])]
        + [
            "pin", "cookie", "keys", "idle", "unconfirmed", "max_age", "on_lost", "same_site",
            "secure", "domain",
        ]
        .map { ("[affinity]", $0, [.text]) }
        + ["http_only", "partitioned", "forward_cookie"].map { ("[affinity]", $0, [.boolean]) }
        + [("[affinity]", "learn", [.list])]
        + ["wsgi", "asgi", "server", "python", "placement", "queue_timeout", "idle_timeout", "cwd"]
        .map { ("[group.a]", $0, [.text]) }
        + ["start_timeout", "stop_timeout"].map { ("[group.a]", $0, [.text]) }
        + ["threads", "sessions_per_process", "queue", "process_queue", "retries"]
        .map { ("[group.a]", $0, [.integer]) }
        + [
            ("[group.a]", "command", [.list]), ("[group.a]", "servers", [.list]),
            ("[group.a]", "processes", [.integer, .table]), ("[group.a]", "env", [.table]),
            ("[group.a]", "pass_env", [.list]), ("[group.a]", "keepalive", [.boolean]),
            ("[group.a]", "affinity", [.table]), ("[group.a.processes]", "min", [.integer]),
            ("[group.a.processes]", "max", [.integer]), ("[routes]", "\"/\"", [.text, .table]),
            ("[routes.\"/\"]", "group", [.text]), ("[routes.\"/\"]", "strip_prefix", [.boolean]),
            ("[routes.\"/\"]", "affinity", [.table]), ("", "routes", [.table]),
            ("", "group", [.table]),
        ]

    static let values: [(text: String, form: Form?)] = [
        ("0", .integer), ("-1", .integer), ("9223372036854775807", .integer),
        ("-9223372036854775808", .integer), ("1.5", nil), ("nan", nil), ("1979-05-27", nil),
        ("true", .boolean), ("\"\"", .text), ("\"x\\u001b[0m\"", .text),
        ("\"-5s\"", .text), ("\"99999999999999999999h\"", .text),
        ("\"9223372036854775807GiB\"", .text),
        ("[]", .list), ("[[]]", .list), ("[{}]", .list), ("[1, \"\", {}]", .list), ("{}", .table),
        ("{ x = { y = [1] } }", .table), ("\"{\"", .text), ("\"[\"", .text), ("\":\"", .text),
    ]

    @Test func `every key refuses every wrong kind, with its line`() {
        for (section, key, forms) in Self.keys {
            for (value, form) in Self.values {
                let text = section.isEmpty ? "\n\(key) = \(value)" : "\(section)\n\(key) = \(value)"
                let found = problems(text)
                guard form.map(forms.contains) != true else { continue }
                let isTold = found.contains { line in
                    line.hasPrefix("mooring.toml:2: ") && line.contains("\(key): is ")
                }
                #expect(isTold, "\(section) \(key) = \(value): \(found)")
            }
        }
    }

    @Test func `numbers out of range are refused`() {
        for (section, key, forms) in Self.keys where forms.contains(.integer) {
            for value in ["-1", "9223372036854775807"] {
                let text = section.isEmpty ? "\n\(key) = \(value)" : "\(section)\n\(key) = \(value)"
                let found = problems(text)
                #expect(
                    found.contains { $0.contains("\(key): is the number \(value)") }, "\(found)")
            }
        }
    }

    @Test func `no message holds a control character`() {
        let found = problems(
            "\"a\\u001b[31m\\nb\" = \"\\u001b\"\n[log]\nlevel = \"\\u001b\\u0085\"")
        #expect(found.count >= 2)
        for scalar in found.joined().unicodeScalars {
            #expect(scalar.value >= 0x20 && scalar.value != 0x7F && scalar.value != 0x85)
        }
    }
}
