internal import ConfigFile
internal import Foundation
internal import Testing

/// docs/reference.md, which users read, is made from the rows that the program works by.
@Suite struct ReferenceTests {
    private static let file = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/reference.md")

    /// `Scripts/reference` has it written.
    @Test func `the reference is what the rows say`() throws {
        if ProcessInfo.processInfo.environment["MOORING_WRITE_REFERENCE"] != nil {
            try Data(Self.page.utf8).write(to: Self.file)
        }
        let written = try String(contentsOf: Self.file, encoding: .utf8)
        #expect(written == Self.page, "run Scripts/reference")
    }

    @Test func `every key has help that fits into a row`() {
        for table in ConfigurationTable.all {
            #expect(!table.rows.isEmpty)
            for row in table.rows {
                let key = "\(table.name) \(row.name)"
                #expect(row.help.count > 20 && row.help.hasSuffix("."), "\(key)")
                #expect(!row.type.isEmpty, "\(key)")
                let text = row.help + row.type + row.standard
                #expect(!text.contains("|") && !text.contains("\n"), "\(key)")
            }
            #expect(Set(table.rows.map(\.name)).count == table.rows.count, "\(table.name)")
        }
    }

    /// A reader that takes a key without a row, or a row that no reader takes, would be a second
    /// definition: the message about an unknown key lists all known ones.
    @Test(arguments: [
        (
            "Above all tables", "",
            ["listen", "timeouts", "limits", "log", "dns", "admin", "affinity", "group", "routes"]
        ),
        ("[[listen]]", "[[listen]]\naddress = \"[::1]:1\"\n", ["certificate", "key"]),
        (
            "[[listen.tls]]",
            "[[listen]]\naddress = \"[::1]:1\"\n[[listen.tls]]\ncertificate = \"a\"\nkey = \"b\"\n",
            []
        ),
        ("[timeouts]", "[timeouts]\n", []), ("[limits]", "[limits]\n", []),
        ("[log]", "[log]\n", []), ("[admin]", "[admin]\n", []),
        ("[affinity]", "[affinity]\n", []), ("[group.NAME]", someGroup, []),
        (
            "servers = [{ … }]",
            "[group.a]\nservers = [{ address = \"[::1]:1\", qqqqqqqqqqqqqqqqqqqqqqqq = 1 }]\n", []
        ),
        ("health = { … }", someGroup + "[group.app.health]\npath = \"/\"\n", []),
        ("[routes]", someGroup + "[routes.\"/\"]\ngroup = \"app\"\n", []),
    ])
    func `every key that is read has a row`(name: String, text: String, others: [String]) throws {
        let unknown = "qqqqqqqqqqqqqqqqqqqqqqqq"
        let whole = text.contains(unknown) ? text : text + "\(unknown) = 1\n"
        let told = try #require(problems(whole).first { $0.contains("unknown key; known here: ") })
        let known = try #require(told.components(separatedBy: "known here: ").last)
            .components(separatedBy: ", ")
        let table = try #require(ConfigurationTable.all.first { $0.name == name })
        #expect(Set(known) == Set(table.rows.map(\.name) + others))
    }

    private static var page: String {
        var page = """
            # The keys of mooring.toml

            Generated from the program's table of keys by `Scripts/reference`; do not edit.

            Durations are written `"500ms"`, `"30s"`, `"15m"`, `"2h"`, sizes `"64KiB"`, `"1MiB"`, `"2GiB"`; `"0"` needs no unit.
            Relative paths start at the folder of the file; `{state_dir}` and `{runtime_dir}` are replaced.
            An unknown key is an error. `mooring check` reports all problems, `mooring check --print` shows every key with
            its value.

            *Change* shows how a changed key takes effect: with a `reload` (`mooring reload`, SIGHUP), with a reload that starts
            `new processes` beside the old ones (old sessions stay where they are), or with a `restart` of Mooring
            (`mooring serve --takeover` refuses no request, and keeps processes and sessions).

            """
        for table in ConfigurationTable.all {
            page += "\n## \(heading(table.name))\n\n"
            if !table.about.isEmpty { page += table.about + "\n\n" }
            page += "| key | value | default | change | what it does |\n|---|---|---|---|---|\n"
            for row in table.rows {
                let change =
                    row.needsRestart ? "restart" : row.isOfLaunch ? "new processes" : "reload"
                let standard = row.standard.isEmpty ? "-" : row.standard
                page += "| `\(row.name)` | \(row.type) | \(standard) | \(change) | \(row.help) |\n"
            }
        }
        return page
    }

    private static func heading(_ name: String) -> String {
        name.contains("[") ? "`\(name)`" : name.contains("=") ? "`\(name)`" : name
    }
}
