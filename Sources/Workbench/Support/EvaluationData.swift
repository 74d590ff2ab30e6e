// The pictures that figures are measured on. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// A training part and a held-out part, found in a folder.
struct EvaluationData {
    let training: any Dataset
    let test: any Dataset

    /// MNIST files in a folder or in its `mnist`, class folders in its `train` and `test`, or a
    /// picture archive with its table (parts `train` and `val`) in it or in its `objects`.
    ///
    /// - Parameters:
    ///   - folder: nil looks in `data` and in the user's data folder.
    ///   - imageSize: pictures of class folders are fitted to it.
    /// - Throws: `DatasetError`, `FileFormatError`.
    init(folder: String?, imageSize: Int) throws {
        let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
        let roots = folder.map { [$0] } ?? ["data", home + "/.local/share/workbench/data"]
        let files = FileManager.default
        if let folder, files.fileExists(atPath: folder + "/train"),
            files.fileExists(atPath: folder + "/test")
        {
            training = try ImageFolder(folder: folder + "/train", side: imageSize)
            test = try ImageFolder(folder: folder + "/test", side: imageSize)
            return
        }
        // A model of 28 pixels is one of MNIST's; archives hold larger pictures.
        if imageSize != MNIST.side,
            let pair = try? PictureArchive.locate(in: roots.flatMap { [$0, $0 + "/objects"] })
        {
            let parts = try PictureArchive.read(
                archive: pair.archive, index: pair.index, parting: .splits(["train", "val"]),
                side: imageSize)
            (training, test) = (parts[0], parts[1])
            return
        }
        let found = try MNIST.locate(in: roots.flatMap { [$0, $0 + "/mnist"] })
        training = try MNIST(folder: found, part: .training)
        test = try MNIST(folder: found, part: .test)
    }
}
