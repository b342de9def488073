internal import AdminAPI
internal import ArgumentParser
internal import Backends
internal import ConfigFile
internal import Serving

/// How a command finds the running balancer: the options that all such commands share.
struct AdminLocation: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: "The balancer's configuration file; ./mooring.toml if there is one.")
    var config: String?
    @Option(
        help: ArgumentHelp(
            "The address of the balancer's admin API, instead of the configured one.",
            valueName: "host:port or unix:path"))
    var admin: String?
    @Option(
        help: ArgumentHelp(
            "The file with the admin token, instead of the configured one.",
            valueName: "file"))
    var tokenFile: String?

    /// The client for the balancer that the options select.
    ///
    /// Without a file and an address it is the one that `mooring run` starts here.
    func client() throws -> AdminClient {
        var address: ProcessAddress?
        var tokenFile = tokenFile
        if let admin {
            do {
                address = try AddressText.parse(admin)
            } catch {
                throw CommandFailure.usage("--admin \(error.wrong); \(error.right)")
            }
        }
        if address == nil || config != nil {
            let configuration = try ConfigurationLoading.fileOrDefaults(config)
            address = address ?? configuration.admin.address
            tokenFile = tokenFile ?? configuration.admin.tokenFile
        }
        if let address, tokenFile == nil, config == nil {
            tokenFile = ConfigurationLoading.tokenFile(ofBalancerAt: address)
        }
        guard let address else { throw CommandFailure.usage("no admin address") }
        do {
            return AdminClient(address: address, token: try tokenFile.map(AdminToken.read(file:)))
        } catch {
            throw CommandFailure.failed(error.description)
        }
    }
}
