"""What runs on the Windows machine to put, get or take back a file. Fixed text: options come as JSON.

It answers in lines of JSON on stdout and says nothing while bytes come in, because one command has room for
one Send or one Receive at a time. Written for Windows PowerShell 5.1 and .NET Framework 4.5.

put    `ready {have, prefix}` or `equal`; then reads 16 characters (where to go on) and the bytes; at the end
       `done` or `failed`. A half-written file lies beside its destination and is moved into place whole.
pull   the same, the bytes fetched from `url`, with a `progress` line now and then.
get    `ready {size}`, the bytes, `done {sha256}`.
drop   removes what the others may have left; `done`.
"""

COPY_SCRIPT = r"""
# ops-copy script/1
function Say($h){$b=$u.GetBytes((ConvertTo-Json $h -Compress)+"`n");$out.Write($b,0,$b.Length);$out.Flush()}
function Fail($code,$detail){
  if($script:f){$script:f.Dispose()}
  if($script:part -and $code -ne 'busy'){try{[IO.File]::Delete($script:part)}catch{}}
  Say @{state='failed';code=$code;detail=[string]$detail}
  exit 3
}
function New-Sha{New-Object Security.Cryptography.SHA256CryptoServiceProvider}
function End-Sha($s){[void]$s.TransformFinalBlock((New-Object byte[] 0),0,0);[BitConverter]::ToString($s.Hash).Replace('-','').ToLower()}
function Hash-File($p){
  $r=New-Object IO.FileStream $p,'Open','Read','ReadWrite'
  try{[BitConverter]::ToString((New-Sha).ComputeHash($r)).Replace('-','').ToLower()}finally{$r.Dispose()}
}
function Full($p){
  if(-not [IO.Path]::IsPathRooted($p)){Fail 'path_invalid' "$p is not a full path"}
  $p=$p.Replace('/','\')
  if($p.Length -gt 3){$p=$p.TrimEnd('\')}
  if($p.Length -ge 240 -and -not $p.StartsWith('\\')){return '\\?\'+$p}
  [IO.Path]::GetFullPath($p)
}
function Explain($x){
  while($x.InnerException){$x=$x.InnerException}
  $w=$x.HResult -band 0xFFFF
  $m=$x.Message
  if($w -eq 112 -or $w -eq 39){Fail 'disk_full' $m}
  if($x -is [IO.IOException] -and ($w -eq 32 -or $w -eq 33)){Fail 'busy' $m}
  if($x -is [UnauthorizedAccessException]){Fail 'path_denied' $m}
  if($x -is [IO.DirectoryNotFoundException] -or $x -is [IO.FileNotFoundException] -or $x -is [IO.DriveNotFoundException]){Fail 'path_missing' $m}
  if($x -is [IO.PathTooLongException] -or $x -is [ArgumentException] -or $x -is [NotSupportedException]){Fail 'path_invalid' $m}
  if($x -is [IO.InvalidDataException]){Fail 'archive_invalid' $m}
  Fail 'copy_failed' $m
}
function Place($from,$to){
  if([IO.File]::Exists($to)){[IO.File]::Replace($from,$to,[NullString]::Value)}else{[IO.File]::Move($from,$to)}
}
function Check-Room($path,$need){
  try{$free=(New-Object IO.DriveInfo ([IO.Path]::GetPathRoot($path.Replace('\\?\','')))).AvailableFreeSpace}catch{return}
  if($free -lt $need){Fail 'disk_full' "$need bytes are needed, $free are free"}
}
function Check-Place($path){
  $dir=[IO.Path]::GetDirectoryName($path)
  if(-not $dir){Fail 'path_invalid' $path}
  if([IO.File]::Exists($dir)){Fail 'not_a_directory' $dir}
  if(-not [IO.Directory]::Exists($dir)){Fail 'path_missing' $dir}
  if($o.directory -and [IO.File]::Exists($path)){Fail 'not_a_directory' $path}
  if(-not $o.directory -and ([IO.Directory]::Exists($path) -or $o.path -match '[\\/]$')){Fail 'not_a_file' $path}
}
function Fetch($have){
  [Net.ServicePointManager]::SecurityProtocol=[Net.ServicePointManager]::SecurityProtocol -bor 3072
  try{
    $q=[Net.WebRequest]::Create($o.url)
    if($have -gt 0){$q.AddRange([long]$have)}
    $q.GetResponse().GetResponseStream()
  }catch{
    $x=$_.Exception
    while($x.InnerException){$x=$x.InnerException}
    Fail 'pull_failed' $x.Message
  }
}
function Unpack($zip,$to){
  Add-Type -AssemblyName 'System.IO.Compression','System.IO.Compression.FileSystem'
  $root=$to.TrimEnd('\')+'\'
  $a=[IO.Compression.ZipFile]::OpenRead($zip)
  $script:f=$a
  try{
    $need=0
    foreach($e in $a.Entries){
      $need+=$e.Length
      $t=[IO.Path]::GetFullPath($root+$e.FullName.Replace('/','\'))
      if(-not $t.StartsWith($root,'OrdinalIgnoreCase') -or $e.FullName.Contains(':')){Fail 'archive_invalid' "$($e.FullName) leads outside"}
    }
    Check-Room $to $need
    $changed=$false
    foreach($e in $a.Entries){
      $t=[IO.Path]::GetFullPath($root+$e.FullName.Replace('/','\'))
      if($e.FullName.EndsWith('/') -or $e.FullName.EndsWith('\')){[void][IO.Directory]::CreateDirectory($t);continue}
      [void][IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($t))
      [IO.Compression.ZipFileExtensions]::ExtractToFile($e,"$zip.one",$true)
      if([IO.File]::Exists($t) -and (Hash-File $t) -eq (Hash-File "$zip.one")){[IO.File]::Delete("$zip.one");continue}
      Place "$zip.one" $t
      $changed=$true
    }
    $changed
  }finally{$a.Dispose();[IO.File]::Delete("$zip.one")}
}
function Put{
  $path=Full $o.path
  Check-Place $path
  $side="$path.ops-$($o.id).part"
  if(-not $o.directory -and [IO.File]::Exists($path) -and (New-Object IO.FileInfo $path).Length -eq $o.size -and (Hash-File $path) -eq $o.sha256){
    [IO.File]::Delete($side)
    Say @{state='equal'}
    return
  }
  $script:f=New-Object IO.FileStream $side,'OpenOrCreate','ReadWrite','None'
  $script:part=$side
  if($f.Length -gt $o.size){$f.SetLength(0)}
  $have=$f.Length
  Check-Room $path ($o.size-$have)
  $before=New-Sha
  $whole=New-Sha
  $b=New-Object byte[] 262144
  for($k=0;$k -lt $have){
    $g=$f.Read($b,0,$b.Length)
    [void]$before.TransformBlock($b,0,$g,$null,0)
    [void]$whole.TransformBlock($b,0,$g,$null,0)
    $k+=$g
  }
  Say @{state='ready';have=$have;prefix=(End-Sha $before)}
  $from=[long](Take 16).Trim()
  if($from -ne $have){$f.SetLength(0);$have=0;$whole=New-Sha}
  $web=if($o.url){Fetch $have}
  $told=[DateTime]::UtcNow
  for($k=$have;$k -lt $o.size){
    $n=[int][Math]::Min($b.Length,$o.size-$k)
    $g=if($web){$web.Read($b,0,$n)}else{Some $b 0 $n}
    if($g -eq 0){Fail 'pull_failed' "the answer ended after $k of $($o.size) bytes"}
    $f.Write($b,0,$g)
    [void]$whole.TransformBlock($b,0,$g,$null,0)
    $k+=$g
    if($web -and ([DateTime]::UtcNow-$told).TotalSeconds -ge 1){$told=[DateTime]::UtcNow;Say @{state='progress';done=$k}}
  }
  $f.Flush($true)
  $f.Dispose()
  $sum=End-Sha $whole
  if($sum -ne $o.sha256){Fail 'hash_mismatch' "its SHA-256 is $sum, not $($o.sha256)"}
  $changed=$true
  if($o.directory){
    [void][IO.Directory]::CreateDirectory($path)
    $changed=Unpack $side $path
    [IO.File]::Delete($side)
  }else{Place $side $path}
  $script:part=$null
  Say @{state='done';sha256=$sum;changed=[bool]$changed}
}
function Get{
  $path=Full $o.path
  if([IO.Directory]::Exists($path)){
    if(-not $o.directory){Fail 'not_a_file' $path}
    $side=Join-Path ([IO.Path]::GetTempPath()) "ops-$($o.id).zip"
    $script:part=$side
    if($o.from -eq 0 -or -not [IO.File]::Exists($side)){
      Add-Type -AssemblyName 'System.IO.Compression','System.IO.Compression.FileSystem'
      [IO.File]::Delete($side)
      [IO.Compression.ZipFile]::CreateFromDirectory($path,$side)
    }
    $path=$side
  }elseif(-not [IO.File]::Exists($path)){Fail 'path_missing' $path}
  elseif($o.directory){Fail 'not_a_directory' $path}
  $script:f=New-Object IO.FileStream $path,'Open','Read','ReadWrite'
  $size=$f.Length
  Say @{state='ready';size=$size}
  $whole=New-Sha
  $b=New-Object byte[] 262144
  for($k=0;$k -lt $size){
    $g=$f.Read($b,0,[int][Math]::Min($b.Length,$size-$k))
    if($g -eq 0){exit 88}
    [void]$whole.TransformBlock($b,0,$g,$null,0)
    $skip=[int][Math]::Max(0,[Math]::Min($g,$o.from-$k))
    if($g -gt $skip){$out.Write($b,$skip,$g-$skip)}
    $k+=$g
  }
  $f.Dispose()
  if($script:part){[IO.File]::Delete($script:part)}
  Say @{state='done';sha256=(End-Sha $whole)}
}
function Drop{
  if($o.path){
    $side="$(Full $o.path).ops-$($o.id).part"
    [IO.File]::Delete($side)
    [IO.File]::Delete("$side.one")
  }
  [IO.File]::Delete((Join-Path ([IO.Path]::GetTempPath()) "ops-$($o.id).zip"))
  Say @{state='done'}
}
$script:f=$null
$script:part=$null
try{
  if($o.op -eq 'put'){Put}elseif($o.op -eq 'get'){Get}else{Drop}
}catch{Explain $_.Exception}
exit 0
""".lstrip()  # noqa: E501  (PowerShell reads better in lines of its own length)
