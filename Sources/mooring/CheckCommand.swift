internal import ArgumentParser
internal import ConfigFile
internal import Reactor

/// `mooring check`: whether a configuration would be taken.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Validates a configuration file.",
        discussion: "Exit code 0 when it is good, 2 with every problem when it is not.")

    @Option(
        name: [.customShort("c"), .customLong("config")], help: "The configuration file.")
    var config = ConfigurationLoading.defaultFile
    @Flag(help: "Print the configuration as it is understood, defaults filled in.")
    var print = false

    func run() throws {
        let configuration = try ConfigurationLoading.file(config)
        // Certificates, users and networks are looked up as serve would.
        let plan = try ServingPlan(configuration, environment: [:], tickets: TLSTicketKeys())
        for warning in configuration.warnings + plan.files.warnings { Terminal.complain(warning) }
        if print {
            Terminal.write(configuration.tomlText)
        } else {
            Terminal.write("\(config): good\n")
        }
    }
}
