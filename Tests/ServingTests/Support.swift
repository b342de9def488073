internal import ConfigFile
internal import Logging
internal import Reactor
internal import Testing

@testable internal import Serving

/// A log without a reader.
let silentLog = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// The configuration of a text, as a user without special rights has it.
func configuration(_ text: String) throws -> Configuration {
    try ConfigurationReader.read(
        text: text, file: "mooring.toml", folder: "/srv/app",
        environment: ["HOME": "/users/ann"], isRoot: false
    ).get()
}
