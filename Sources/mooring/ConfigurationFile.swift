internal import ArgumentParser
internal import Serving

/// Which configuration a command reads: its argument, or `-c` as the other commands have it.
struct ConfigurationFile: ParsableArguments {
    @Argument(help: "The configuration file; ./\(ConfigurationLoading.defaultFile) if not given.")
    var file: String?
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: "The same, as the other commands name it.")
    var config: String?

    /// The path of the file.
    var path: String { file ?? config ?? ConfigurationLoading.defaultFile }

    func validate() throws {
        guard file == nil || config == nil else {
            throw ValidationError("Give the file once, with -c or without it.")
        }
    }
}
