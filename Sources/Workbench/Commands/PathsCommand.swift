// `workbench paths`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core

/// Where weights, themes and recipes are looked for.
struct PathsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "paths", abstract: "Show where weights, themes and recipes are looked for.",
        discussion: "Example:\n  workbench paths")

    @OptionGroup var common: CommonOptions

    func run() throws {
        let locator = try AssetLocator(
            .process(
                modelsDirectory: common.modelsFolder, dataDirectory: common.dataFolder))
        Output.line(locator.listing())
    }
}
