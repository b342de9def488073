internal import Backends
internal import ConfigFile
internal import Testing

/// Reads a file's text as a user without special rights would, in `/srv/app`.
func result(
    of text: String, environment: [String: String] = ["HOME": "/users/ann"], isRoot: Bool = false
) -> Result<Configuration, ConfigurationProblems> {
    ConfigurationReader.read(
        text: text, file: "mooring.toml", folder: "/srv/app", environment: environment,
        isRoot: isRoot)
}

/// The configuration; a test that expects one fails with its problems.
func read(
    _ text: String, environment: [String: String] = ["HOME": "/users/ann"], isRoot: Bool = false
) throws -> Configuration {
    try result(of: text, environment: environment, isRoot: isRoot).get()
}

extension Configuration {
    /// The addresses that are listened on.
    var addresses: [ProcessAddress] {
        listeners.compactMap { if case .address(let address) = $0.address { address } else { nil } }
    }
}

/// What is wrong, one text a problem; empty when nothing is.
func problems(_ text: String) -> [String] {
    switch result(of: text) {
    case .success: []
    case .failure(let found): found.problems.map(\.description)
    }
}

/// A group that every configuration may have at its end.
let someGroup = "[group.app]\nwsgi = \"app.wsgi\"\n"

/// One that root may have too.
let someExternal = "[group.app]\nservers = [\"10.0.0.7:80\"]\n"
