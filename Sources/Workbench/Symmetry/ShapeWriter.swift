// Inputs of symmetry models as files. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Writes pictures as PNG and points as `.xyz` lists.
struct ShapeWriter {
    let folder: String

    /// - Throws: `InputError` when the folder cannot be made.
    init(folder: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw InputError("\(folder): this folder cannot be made; give another.")
        }
        self.folder = folder
    }

    func write(_ shape: SymmetryShape, name: String) throws {
        switch shape {
        case .picture(let image): try PNG.write(image, to: "\(folder)/\(name).png")
        case .points(let set):
            // The chemists' format: count, title, then a name and three numbers a line.
            var text = "\(set.positions.count)\n\(name)\n"
            for (i, p) in set.positions.enumerated() {
                let kind = set.kinds.indices.contains(i) ? set.kinds[i] : 0
                let word = set.kindNames.indices.contains(kind) ? set.kindNames[kind] : "X"
                text += word + String(format: " %.6f %.6f %.6f\n", p.x, p.y, p.z)
            }
            try AtomicWrite.write(text, to: "\(folder)/\(name).xyz")
        }
    }

    /// A name that is safe in a path.
    static func plain(_ name: String) -> String {
        name.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? String($0) : "_" }.joined()
    }
}
