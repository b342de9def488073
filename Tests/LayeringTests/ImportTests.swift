internal import Foundation
internal import Testing

/// The directions of import: what `ls Sources` promises, held by a test.
@Suite struct ImportTests {
    /// The targets that perform nothing: facts and time in, orders out.
    static let pure: Set<String> = [
        "Settings", "Backends", "SessionAffinity", "Routing", "HTTPWire", "Exchanges",
    ]

    /// Every module that a target may import; a target that is not listed may not exist.
    static let allowed: [String: Set<String>] = [
        "Settings": [],
        "Backends": ["Settings", "HeapModule", "Synchronization"],
        "SessionAffinity": ["COpenSSL"],
        "Routing": [],
        "HTTPWire": ["CNghttp2"],
        "Exchanges": ["HTTPWire", "Backends"],
        "Reactor": ["CCares", "CLinux", "COpenSSL", "Glibc", "Synchronization"],
        "ConfigFile": ["Settings", "Backends", "SessionAffinity", "Routing", "TOMLKit"],
        "ReverseProxy": [
            "Settings", "Reactor", "Exchanges", "HTTPWire", "SessionAffinity", "Routing",
            "Backends", "Glibc", "Synchronization",
        ],
        "Supervision": [
            "Settings", "Reactor", "Backends", "CLinux", "Logging", "Dispatch", "Glibc",
            "Synchronization",
        ],
        "AdminAPI": [
            "Backends", "Hummingbird", "HummingbirdCore", "HTTPTypes", "NIOCore", "NIOHTTP1",
            "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOPosix", "Logging",
            "ServiceLifecycle", "FoundationEssentials", "Glibc", "Synchronization",
        ],
        "Simulation": ["Backends", "Synchronization"],
        "Serving": [
            "Settings", "Backends", "SessionAffinity", "Routing", "Reactor", "ConfigFile",
            "ReverseProxy",
            "Supervision", "AdminAPI", "HTTPWire", "Logging", "FoundationEssentials", "Dispatch",
            "Glibc", "Synchronization",
        ],
        "mooring": [
            "Backends", "Reactor", "ConfigFile", "Supervision", "AdminAPI", "Serving",
            "ArgumentParser", "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "FoundationEssentials",
            "Glibc",
        ],
        "simulate": ["Backends", "Simulation", "ArgumentParser", "Foundation", "Glibc"],
    ]

    @Test func `every target imports only what the design allows`() {
        #expect(!SourceTree.swiftSources.isEmpty)
        for file in SourceTree.swiftSources {
            guard let allowed = Self.allowed[file.target] else {
                Issue.record("\(file.path): the design knows no target \(file.target)")
                continue
            }
            for (module, line) in Self.imports(of: file) where !allowed.contains(module) {
                Issue.record("\(file.path):\(line): \(file.target) may not import \(module)")
            }
        }
    }

    /// Parts of `Serving` that perform nothing, though what is beside them does.
    static let pureFiles: [String: Set<String>] = [
        "Sources/Serving/Reload/ReloadPlan.swift": ["AdminAPI", "Backends", "ConfigFile"],
        "Sources/Serving/Reload/RestartKeys.swift": ["ConfigFile", "Settings"],
        // For the signals' numbers.
        "Sources/Serving/Shutdown/Shutdown.swift": ["Glibc"],
        "Sources/Serving/Takeover/ListenerWord.swift": ["Settings"],
        "Sources/Serving/Takeover/TakeoverMessage.swift": ["FoundationEssentials", "Settings"],
    ]

    @Test func `what decides in Serving imports nothing that acts`() throws {
        for (path, allowed) in Self.pureFiles {
            let file = try #require(SourceTree.file(path))
            for (module, line) in Self.imports(of: file) where !allowed.contains(module) {
                Issue.record("\(path):\(line): may not import \(module)")
            }
        }
    }

    @Test func `the command holds commands and little else`() {
        let lines = SourceTree.files(in: "Sources/mooring", endings: [".swift"])
            .reduce(0) { $0 + $1.lines.count }
        #expect(lines > 0 && lines < 1200, "what can be tested belongs into Serving")
    }

    @Test func `every import states its access level`() throws {
        let bare = try Regex(#"^\s*(@testable |@preconcurrency )*import "#)
        for file in SourceTree.swiftSources + SourceTree.files(in: "Tests", endings: [".swift"]) {
            for (index, line) in file.code.enumerated() where line.prefixMatch(of: bare) != nil {
                Issue.record("\(file.path):\(index + 1): write internal, package or private import")
            }
        }
    }

    @Test func `pure targets read no clock, draw no number and print nothing`() throws {
        let banned: [(pattern: String, instead: String)] = [
            (#"\bDate\("#, "take the time as an argument"),
            (
                #"(Clock(\(\))?|Instant|Date)\.now\b|[(=:,]\s*\.now\b"#,
                "take the time as an argument"
            ),
            (#"\.random\((?!.*using:)"#, "take a generator: using:"),
            (#"\.randomElement\(\)|\.shuffled\(\)|\.shuffle\(\)"#, "take a generator: using:"),
            (#"SystemRandomNumberGenerator"#, "take a generator as an argument"),
            (#"\.hashValue\b|\bHasher\("#, "Swift's hashes differ from run to run"),
            (#"\bprint\(|\bdebugPrint\("#, "give an order or an event"),
            (#"\bTask\s*[.{(]|\basync\b|\bawait\b"#, "stay synchronous"),
        ]
        for rule in banned {
            let pattern = try Regex(rule.pattern)
            for file in SourceTree.swiftSources
            where Self.pure.contains(file.target) || Self.pureFiles[file.path] != nil {
                for (index, line) in file.code.enumerated()
                where line.firstMatch(of: pattern) != nil {
                    Issue.record("\(file.path):\(index + 1): \(rule.instead): \(line)")
                }
            }
        }
    }

    @Test func `no force unwrap hides behind a shortcut`() throws {
        let pattern = try Regex(#"\btry!|\bas! |\bfatalError\("contract"#)
        for file in SourceTree.swiftSources {
            for (index, line) in file.code.enumerated() where line.firstMatch(of: pattern) != nil {
                Issue.record("\(file.path):\(index + 1): \(line)")
            }
        }
    }

    /// The modules of a file's imports with their lines; `import struct M.T` counts as M.
    static func imports(of file: SourceTree.File) -> [(module: String, line: Int)] {
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "typealias"]
        return file.code.enumerated().compactMap { index, line in
            let words = line.split(separator: " ")
            guard let place = words.firstIndex(of: "import"),
                words[..<place].allSatisfy({ accessWords.contains($0) || $0.hasPrefix("@") })
            else { return nil }
            let name = words[(place + 1)...].first { !kinds.contains($0) } ?? ""
            return (name.split(separator: ".").first.map(String.init) ?? "", index + 1)
        }
    }

    private static let accessWords: Set<Substring> = [
        "internal", "package", "private", "fileprivate", "public",
    ]
}
