// The command line that shows the same as the symmetry pane.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension CommandLineText {
    /// `workbench symmetry show …` for the active side; nil while no set is open.
    ///
    /// Settings that are the set's own defaults are left out. An input that was added by hand is in
    /// no set that a command could read: the command shows the whole set instead.
    static func symmetry(_ state: SymmetryState) -> String? {
        guard let facts = state.facts(of: state.active) else { return nil }
        let settings = state.current.settings
        var words = ["workbench", "symmetry", "show", quoted(facts.modelName)]
        switch facts.source {
        case .folder(let folder): words += ["--folder", quoted(folder)]
        case .construction(let name, let folder, let count, let seed):
            words += ["--set", quoted(name)]
            if let folder { words += ["--data", quoted(folder)] }
            words += ["--count", String(count), "--seed", String(seed)]
        }
        switch state.scopeInForce {
        case .input(let input), .neighbours(let input):
            if input < facts.count { words += ["--input", String(input)] }
        case .label(let label): words += ["--class", String(label)]
        case .all: break
        }
        words += choices(settings, defaults: facts.offer.defaults)
        words += ["--bins", String(state.bins)]
        if !state.isCorrected { words.append("--raw") }
        return words.joined(separator: " ")
    }

    private static func choices(
        _ settings: SymmetrySettings, defaults: SymmetrySettings
    ) -> [String] {
        var words: [String] = []
        func add(_ option: String, _ value: String, if differs: Bool) {
            if differs { words += [option, value] }
        }
        add("-k", String(settings.neighbours), if: settings.neighbours != defaults.neighbours)
        add("--metric", settings.metric.rawValue, if: settings.metric != defaults.metric)
        // An estimator brings its own family along unless one is named.
        let isOwnLaw =
            settings.estimator == defaults.estimator && settings.family == defaults.family
        add("--estimator", settings.estimator.rawValue, if: !isOwnLaw)
        add("--family", settings.family.rawValue, if: !isOwnLaw)
        var mean = settings.mean.name
        if case .tukey(let c?) = settings.mean { mean += ":\(c)" }
        add("--mean", mean, if: settings.mean != defaults.mean)
        add("--bandwidth", String(settings.bandwidth), if: settings.bandwidth != defaults.bandwidth)
        switch settings.outside {
        case .support: add("--outside", "support", if: settings.outside != defaults.outside)
        case .density(let quantile):
            add("--outside", "density:\(quantile)", if: settings.outside != defaults.outside)
        }
        if case .component(let step) = settings.neighbourhood {
            add("--component", String(step), if: settings.neighbourhood != defaults.neighbourhood)
        }
        add("--path", settings.path.rawValue, if: settings.path != defaults.path)
        add("--look", settings.look.rawValue, if: settings.look != defaults.look)
        return words
    }
}
