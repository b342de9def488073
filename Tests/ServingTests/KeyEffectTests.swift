internal import Backends
internal import ConfigFile
internal import Foundation
internal import Reactor
internal import ReverseProxy
internal import SessionAffinity
internal import Settings
internal import Supervision
internal import Testing

@testable internal import Serving

/// A key that is read and printed, but passed to no part, is a bug that no reader of the file sees.
@Suite struct KeyEffectTests {
    private let files = KeyFiles()

    @Test func `every key of the reference changes what the parts are given`() {
        for table in ConfigurationTable.all {
            for row in table.rows {
                let key = "\(table.name) \(row.name)"
                guard let sample = KeySample(row, of: table.name) else {
                    Issue.record("KeySamples has no other value for \(key)")
                    continue
                }
                let before = given(sample.before, sample.isRoot)
                let after = given(sample.after, sample.isRoot)
                #expect(before == given(sample.before, sample.isRoot), "\(key)")
                #expect(before != after, "\(key) has no effect")
            }
        }
    }

    /// To be refused would be an effect too.
    @Test func `the reader of a key takes its other value`() {
        for table in ConfigurationTable.all {
            for row in table.rows {
                guard let sample = KeySample(row, of: table.name) else { continue }
                #expect(throws: Never.self, "\(table.name) \(row.name)") {
                    try read(sample.after, sample.isRoot)
                }
            }
        }
    }

    private static let environment = ["HOME": "/users/ann", "USER": "ann"]

    @discardableResult
    private func read(_ text: String, _ isRoot: Bool) throws -> Configuration {
        try ConfigurationReader.read(
            text: files.named(in: text), file: "mooring.toml", folder: "/srv/app",
            environment: Self.environment, isRoot: isRoot
        ).get()
    }

    /// What the other targets are made from, or why they are not, as a text.
    private func given(_ text: String, _ isRoot: Bool) -> String {
        do {
            let configuration = try read(text, isRoot)
            let plan = try ServingPlan(
                configuration, environment: Self.environment, tickets: TLSTicketKeys())
            var given = plan.policies.map { "\($0)" }
            given += plan.launches.map { launch in
                var launch = launch
                // It stands for the rest, and starts nothing.
                launch?.fingerprint = ""
                return launch.map { Self.description(of: $0) } ?? ""
            }
            let keyring = Keyring(firstKey: [UInt8](repeating: 7, count: 32))
            given.append("\(plan.proxySettings(keyring: keyring))")
            given += [
                "\(plan.spawnConcurrency) \(configuration.maxProcesses)",
                "\(plan.logLevel) \(configuration.log.format)",
                "\(configuration.dns)", "\(configuration.timeouts.drain)",
                configuration.stateDirectory,
                configuration.runtimeDirectory, configuration.keysFile,
                "\(configuration.admin.address)",
            ]
            given.append("\(try configuration.admin.keys())")
            return given.joined(separator: "\n")
        } catch {
            // Not where it stands: lines that are added move it.
            return "\(error)".replacing(#/\.toml:\d+/#, with: "")
        }
    }

    /// Dictionaries and sets have another order in each description.
    private static func description(of launch: LaunchSpec) -> String {
        var rest = launch
        rest.environment = [:]
        rest.filledVariables = []
        return "\(rest) \(launch.environment.sorted { $0.key < $1.key })"
            + " \(launch.filledVariables.sorted())"
    }
}
