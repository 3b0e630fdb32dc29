# The AWS SDK for Java v2; the JDK checks what it gets.
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with script/interop

needs=mvn
inputs=(.)

prepare() {
  # Goals instead of a lifecycle phase, whose other plugins would have nothing to do and would still be downloaded.
  mvn --batch-mode --no-transfer-progress --file "$folder/pom.xml" -DbuildDirectory="$cache" \
    compiler:compile dependency:copy-dependencies
}

smoke() { limited java -cp "$cache/classes:$cache/dependency/*" smoke.Main; }
