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

/// A key that is read and printed, and then given to nobody, is a bug that no reader of the file sees.
@Suite struct KeyEffectTests {
    private let files = KeyFiles()

    @Test func `every key of the reference changes what the parts are given`() {
        for table in ConfigurationTable.all {
            let samples = KeySamples.all[table.name] ?? [:]
            #expect(Set(samples.keys) == Set(table.rows.map(\.name)), "\(table.name)")
            for (key, sample) in samples {
                let before = given(sample.before, sample.isRoot)
                let after = given(sample.after, sample.isRoot)
                #expect(before == given(sample.before, sample.isRoot), "\(table.name) \(key)")
                #expect(before != after, "\(table.name) \(key) has no effect")
            }
        }
    }

    /// What the other targets are made from, or why they are not, as a text.
    private func given(_ text: String, _ isRoot: Bool) -> String {
        let environment = ["HOME": "/users/ann", "USER": "ann"]
        let result = ConfigurationReader.read(
            text: files.named(in: text), file: "mooring.toml", folder: "/srv/app",
            environment: environment,
            isRoot: isRoot)
        do {
            let configuration = try result.get()
            let plan = try ServingPlan(
                configuration, environment: environment, tickets: TLSTicketKeys())
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
                "\(configuration.timeouts.drain)", configuration.stateDirectory,
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
