// swift-tools-version: 6.2
import PackageDescription

/// The settings of every Swift target: Swift 7's defaults now, and no unmarked unsafe code.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .strictMemorySafety(),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
]

/// The data path proves its exclusive access by design (one thread, slabs), not at run time.
let dataPathSettings =
    settings + [
        .unsafeFlags(
            ["-enforce-exclusivity=unchecked", "-cross-module-optimization"],
            .when(configuration: .release))
    ]

/// Of a target of the data path whose functions are inlined where they are called.
///
/// `-cross-module-optimization` leaves those alone that are `package`, which here are all.
let inlinedSettings =
    settings + [
        .unsafeFlags(
            ["-enforce-exclusivity=unchecked", "-enable-cmo-everything"],
            .when(configuration: .release))
    ]

let collections = "swift-collections"

let package = Package(
    name: "mooring",
    products: [
        .executable(name: "mooring", targets: ["mooring"]),
        .executable(name: "simulate", targets: ["simulate"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(
            name: "CCares", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .target(name: "Settings", swiftSettings: inlinedSettings),
        .target(
            name: "Backends",
            dependencies: [
                "Settings", .product(name: "HeapModule", package: collections),
            ],
            swiftSettings: dataPathSettings),
        .target(
            name: "SessionAffinity", dependencies: ["COpenSSL"], swiftSettings: dataPathSettings),
        .target(name: "Routing", swiftSettings: dataPathSettings),
        .target(
            name: "HTTPWire", dependencies: ["CNghttp2"], swiftSettings: dataPathSettings),
        .target(
            name: "Exchanges", dependencies: ["HTTPWire", "Backends"],
            swiftSettings: inlinedSettings),
        .target(
            name: "Reactor",
            dependencies: ["CCares", "CLinux", "COpenSSL"],
            swiftSettings: dataPathSettings),
        .target(
            name: "ConfigFile",
            dependencies: [
                "Settings", "Backends", "SessionAffinity", "Routing",
                .product(name: "TOMLKit", package: "TOMLKit"),
            ],
            swiftSettings: settings),
        .target(
            name: "ReverseProxy",
            dependencies: [
                "Settings", "Reactor", "Exchanges", "HTTPWire", "SessionAffinity", "Routing",
                "Backends",
            ],
            swiftSettings: dataPathSettings),
        .target(
            name: "Supervision",
            dependencies: [
                "Settings", "Reactor", "Backends", "CLinux",
                .product(name: "Logging", package: "swift-log"),
            ],
            resources: [
                .embedInCode("Python/mooring_asgi.py"),
                .embedInCode("Python/mooring_asgi_request.py"),
                .embedInCode("Python/mooring_asgi_run.py"),
                .embedInCode("Python/mooring_asgi_servers.py"),
                .embedInCode("Python/mooring_asgi_socket.py"),
                .embedInCode("Python/mooring_body.py"),
                .embedInCode("Python/mooring_call.py"),
                .embedInCode("Python/mooring_children.py"),
                .embedInCode("Python/mooring_choice.py"),
                .embedInCode("Python/mooring_detect.py"),
                .embedInCode("Python/mooring_errors.py"),
                .embedInCode("Python/mooring_host.py"),
                .embedInCode("Python/mooring_hypercorn.py"),
                .embedInCode("Python/mooring_lifespan.py"),
                .embedInCode("Python/mooring_loop.py"),
                .embedInCode("Python/mooring_mount.py"),
                .embedInCode("Python/mooring_names.py"),
                .embedInCode("Python/mooring_paste.py"),
                .embedInCode("Python/mooring_probe.py"),
                .embedInCode("Python/mooring_request.py"),
                .embedInCode("Python/mooring_response.py"),
                .embedInCode("Python/mooring_scope.py"),
                .embedInCode("Python/mooring_server.py"),
                .embedInCode("Python/mooring_servers.py"),
                .embedInCode("Python/mooring_source.py"),
            ],
            swiftSettings: settings),
        .target(
            name: "AdminAPI",
            dependencies: [
                "Backends",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .target(
            name: "Simulation",
            dependencies: ["Backends"],
            swiftSettings: settings),
        .target(
            name: "Serving",
            dependencies: [
                "Settings", "Backends", "SessionAffinity", "Routing", "Reactor", "ConfigFile",
                "ReverseProxy", "Supervision", "AdminAPI", "HTTPWire",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "mooring",
            dependencies: [
                "Backends", "Reactor", "ConfigFile", "Supervision", "AdminAPI", "Serving",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "simulate",
            dependencies: [
                "Backends", "Simulation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(name: "BackendsTests", dependencies: ["Backends"], swiftSettings: settings),
        .testTarget(
            name: "SimulationTests", dependencies: ["Simulation"],
            exclude: ["Cases"], swiftSettings: settings),
        .testTarget(
            name: "SessionAffinityTests", dependencies: ["SessionAffinity", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "RoutingTests", dependencies: ["Routing", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "HTTPWireTests", dependencies: ["HTTPWire", "CNghttp2", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "ExchangesTests",
            dependencies: ["Exchanges", "HTTPWire", "Backends", "Simulation"],
            swiftSettings: settings),
        .testTarget(
            name: "ReactorTests", dependencies: ["Reactor", "CLinux", "COpenSSL"],
            swiftSettings: settings),
        .testTarget(
            name: "ReverseProxyTests",
            dependencies: [
                "ReverseProxy", "Exchanges", "HTTPWire", "Reactor", "Backends", "Routing",
                "SessionAffinity", "Settings", "TestSupport",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ConfigFileTests",
            dependencies: [
                "ConfigFile", "Backends", "SessionAffinity", "Settings", "Routing", "TestSupport",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SupervisionTests",
            dependencies: [
                "Supervision", "Backends", "Reactor", "Settings", "CLinux", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "AdminAPITests",
            dependencies: [
                "AdminAPI", "Backends",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ServingTests",
            dependencies: [
                "Serving", "AdminAPI", "ConfigFile", "Backends", "ReverseProxy",
                "Reactor", "SessionAffinity", "Settings", "Supervision", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .testTarget(name: "LayeringTests", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
