internal import ArgumentParser
internal import Serving

/// The configuration file of a command: its argument, or `-c` as in the other commands.
struct ConfigurationFile: ParsableArguments {
    @Argument(help: "The configuration file; ./\(ConfigurationLoading.defaultFile) if not given.")
    var file: String?
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: "The configuration file, as in the other commands.")
    var config: String?

    /// The path of the file.
    var path: String { file ?? config ?? ConfigurationLoading.defaultFile }

    func validate() throws {
        guard file == nil || config == nil else {
            throw ValidationError("Give the file once, with -c or without it.")
        }
    }
}
