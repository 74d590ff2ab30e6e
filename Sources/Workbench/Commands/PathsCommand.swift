// `workbench paths`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation
import Views

/// Where weights, themes and recipes are looked for, and where work is kept.
struct PathsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "paths",
        abstract: "Show where weights, themes, recipes, configuration and session are.",
        discussion: "Example:\n  workbench paths")

    @OptionGroup var common: CommonOptions

    func run() throws {
        let locator = try AssetLocator(
            .process(
                modelsDirectory: common.modelsFolder, dataDirectory: common.dataFolder))
        Output.line(locator.listing())
        let environment = ProcessInfo.processInfo.environment
        let configuration = Settings.defaultPath(environment: environment)
        Self.show("configuration", configuration.map { [$0] } ?? [])
        let state = ScreenOptions.stateFolder
        Self.show("session, gallery, log", [state])
    }

    private static func show(_ title: String, _ paths: [String]) {
        Output.line("\(title):")
        for path in paths {
            let mark = FileManager.default.fileExists(atPath: path) ? "*" : "-"
            Output.line("  \(mark) \(path)")
        }
    }
}
