// `workbench themes`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Views

/// The themes of the terminal application.
struct ThemesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "themes", abstract: "List themes, or check one.",
        discussion: """
            Examples:
              workbench themes
              workbench themes check my-theme
            """,
        subcommands: [List.self, Check.self], defaultSubcommand: List.self)

    static func library(_ common: CommonOptions) throws -> ThemeLibrary {
        let locator = try AssetLocator(
            .process(
                modelsDirectory: common.modelsFolder, dataDirectory: common.dataFolder))
        return ThemeLibrary(folders: locator.places(for: .themes).map(\.path))
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List themes.")
        @OptionGroup var common: CommonOptions

        func run() throws {
            for name in try ThemesCommand.library(common).names() { Output.line(name) }
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Read a theme and report what is wrong or illegible.",
            discussion: """
                With a name it also prints the contrast of every style that carries text, as WCAG \
                2.1 defines it; text needs 4.5:1.

                Examples:
                  workbench themes check
                  workbench themes check my-theme --json
                """)
        @Argument(help: "The theme's name; all when left out.")
        var name: String?
        @OptionGroup var json: JSONOption
        @OptionGroup var common: CommonOptions

        func run() throws {
            let library = try ThemesCommand.library(common)
            let reports = (name.map { [$0] } ?? library.names()).map {
                Report(name: $0, library: library)
            }
            if json.isOn {
                try Output.json(reports)
            } else {
                for report in reports { print(report, isDetailed: name != nil) }
            }
            if reports.contains(where: { $0.error != nil }) {
                throw ExitCode(ExitStatus.badInput)
            }
        }

        private func print(_ report: Report, isDetailed: Bool) {
            if let error = report.error { return Output.note("workbench: \(error)") }
            let least = report.contrasts.min { $0.ratio < $1.ratio }
            let figure =
                least.map { " (least contrast \($0.figure):1, \($0.place))" }
                ?? " (the terminal's own colours: contrast is its matter)"
            Output.line(
                "\(report.name): " + (report.warnings.isEmpty ? "good" : "see below") + figure)
            for warning in report.warnings { Output.line("  \(warning)") }
            guard isDetailed else { return }
            for contrast in report.contrasts {
                Output.line("  \(contrast.text)  \(contrast.place)")
            }
        }

        /// What is to be said about one theme.
        struct Report: Encodable {
            struct Contrast: Encodable {
                var style: String
                var surface: String?
                var ratio: Double

                var place: String { style + (surface.map { " on \($0)" } ?? "") }
                var figure: String { String(format: "%.1f", ratio) }
                var text: String { String(format: "%4.1f:1", ratio) }
            }

            var name: String
            var error: String?
            var warnings: [String] = []
            /// Of every style that carries text; colours of the terminal's own are not judged.
            var contrasts: [Contrast] = []

            init(name: String, library: ThemeLibrary) {
                self.name = name
                do {
                    let theme = try library.theme(named: name)
                    warnings =
                        theme.warnings.map(\.description)
                        + theme.contrastProblems().map(\.description)
                    contrasts = theme.contrasts().map {
                        Contrast(
                            style: $0.style.rawValue, surface: $0.surface?.rawValue,
                            ratio: ($0.ratio * 100).rounded() / 100)
                    }
                } catch {
                    self.error = "\(error)"
                }
            }
        }
    }
}
