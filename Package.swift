// swift-tools-version: 6.2
// The Workbench package: one executable over three modules and a handful of C targets.
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

/// Warnings are errors in every target of our own.
let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]
/// The terminal lives on the main actor; Core, Models and the commands do not.
let onMainActor: [SwiftSetting] = strict + [.defaultIsolation(MainActor.self)]
/// Kernels are optimised in every configuration: the tests run real models.
let optimised: [CSetting] = [
    .unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror", "-fno-math-errno"])
]
let checked: [CSetting] = [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])]
/// CUDA sources are embedded in the program with C23's #embed.
let embedding: [CSetting] = checked + [.unsafeFlags(["-Wno-c23-extensions"])]

let package = Package(
    name: "Workbench",
    products: [
        .executable(name: "workbench", targets: ["Workbench"]),
        .library(name: "WorkbenchCore", targets: ["Core"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // MARK: C shims
        .systemLibrary(
            name: "CBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(
            name: "CSixel", pkgConfig: "libsixel", providers: [.apt(["libsixel-dev"])]),
        .target(
            name: "CKernels", cSettings: optimised,
            linkerSettings: [.linkedLibrary("m"), .linkedLibrary("pthread")]),
        .target(
            name: "CCodecs", cSettings: checked,
            linkerSettings: [.linkedLibrary("png16"), .linkedLibrary("jpeg"), .linkedLibrary("z")]),
        .target(
            name: "CTerm", cSettings: checked,
            linkerSettings: [.linkedLibrary("ncursesw"), .linkedLibrary("tinfo")]),
        .target(
            name: "CCUDA", cSettings: embedding, linkerSettings: [.linkedLibrary("dl")]),

        // MARK: Modules
        .target(
            name: "Core", dependencies: ["CBLAS", "CKernels", "CCodecs", "CCUDA"],
            exclude: ["CUDA/Kernels"], swiftSettings: strict),
        .target(name: "Models", dependencies: ["Core"], swiftSettings: strict),
        .target(
            name: "Views", dependencies: ["Core", "CTerm", "CSixel"], swiftSettings: onMainActor),
        .executableTarget(
            name: "Workbench",
            dependencies: [
                "Core", "Models", "Views",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // MARK: Tests
        .target(
            name: "TestSupport", dependencies: ["Core"], path: "Tests/TestSupport",
            swiftSettings: strict),
        .testTarget(
            name: "CoreTests", dependencies: ["Core", "CKernels", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ModelsTests", dependencies: ["Models", "Core", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ViewsTests", dependencies: ["Views", "Core", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "WorkbenchTests",
            dependencies: ["Core", "Models", "TestSupport", "Views", "Workbench"],
            swiftSettings: strict),
    ]
)
